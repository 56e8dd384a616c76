//go:build unix && !darwin

package keyring

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
)

// reachable says why no keyring can be. Where there is no session bus the
// library would start dbus-launch, which it looks for on the PATH; and that of a
// script begins with what packages have brought.
func (s System) reachable() error {
	if bus := s.Getenv("DBUS_SESSION_BUS_ADDRESS"); bus != "" && bus != "autolaunch:" {
		return nil
	}
	dir := filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
	for _, name := range [...]string{"bus", "dbus-session"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil
		}
	}
	return errors.New("there is no session bus (DBUS_SESSION_BUS_ADDRESS is not set)")
}
