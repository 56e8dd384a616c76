package lockfile

import "bytes"

func hasConflict(data []byte) bool {
	return bytes.Contains(data, []byte("<<<<<<<")) && bytes.Contains(data, []byte("=======")) && bytes.Contains(data, []byte(">>>>>>>"))
}

func parseConflict(data []byte, path string) (*Lockfile, error) { return decode(data, path) }
