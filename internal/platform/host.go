package platform

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Host returns this machine's OS and CPU in node's words, and nothing else:
// the rest costs a system call or a file, see DetectLibc and OSRelease.
func Host() Environment {
	return Environment{OS: nodeOS(runtime.GOOS), CPU: nodeCPU(runtime.GOARCH)}
}

// nodeOS translates Go's name of an operating system.
func nodeOS(goos string) string {
	switch goos {
	case "windows":
		return "win32"
	case "solaris", "illumos":
		return "sunos"
	}
	return goos
}

// nodeCPU translates Go's name of a processor.
func nodeCPU(goarch string) string {
	switch goarch {
	case "amd64":
		return "x64"
	case "386":
		return "ia32"
	case "ppc64le":
		return "ppc64"
	case "mipsle", "mips64le":
		return "mipsel"
	case "mips64":
		return "mips"
	}
	return goarch
}

// lddPath is a script that names the C library; reading it is quicker than
// asking anybody.
const lddPath = "/usr/bin/ldd"

// maxLdd bounds what is read of it. The name stands in its first lines.
const maxLdd = 256 << 10

// DetectLibc returns "glibc" or "musl" where osName is "linux", "" where the
// family can't be told and everywhere else. It reads the disk: call it once.
//
// Where there is no ldd, npm asks its own node which library it runs with.
// There is none to ask here, so the dynamic loaders that are installed tell.
func DetectLibc(osName string) string { return detectLibc(osName, "/") }

func detectLibc(osName, root string) string {
	if osName != "linux" {
		return ""
	}
	f, err := os.Open(filepath.Join(root, lddPath))
	if err != nil {
		return libcOfLoaders(root)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxLdd))
	if err != nil {
		return libcOfLoaders(root)
	}
	switch {
	case bytes.Contains(text, []byte("musl")):
		return "musl"
	case bytes.Contains(text, []byte("GNU C Library")):
		return "glibc"
	}
	return ""
}

func libcOfLoaders(root string) string {
	for _, loader := range [...]struct{ pattern, libc string }{
		{"lib*/ld-linux*.so.*", "glibc"},
		{"lib/*/ld-linux*.so.*", "glibc"},
		{"lib*/ld64.so.*", "glibc"},
		{"lib/ld-musl-*.so.1", "musl"},
	} {
		if found, _ := filepath.Glob(filepath.Join(root, loader.pattern)); len(found) > 0 {
			return loader.libc
		}
	}
	return ""
}
