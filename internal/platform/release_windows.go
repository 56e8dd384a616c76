package platform

import (
	"fmt"

	"golang.org/x/sys/windows"
)

// OSRelease returns the version as node's os.release() does: "10.0.22631".
func OSRelease() string {
	v := windows.RtlGetVersion()
	return fmt.Sprintf("%d.%d.%d", v.MajorVersion, v.MinorVersion, v.BuildNumber)
}
