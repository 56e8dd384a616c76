package folder

import (
	"encoding/binary"
	"unicode/utf16"
)

const (
	mountPoint      = 0xA0000003 // IO_REPARSE_TAG_MOUNT_POINT
	maxReparse      = 16 << 10   // MAXIMUM_REPARSE_DATA_BUFFER_SIZE
	reparseHead     = 8          // tag, length, reserved
	mountPointNames = 8          // offsets and lengths of the two names
)

// junctionData is what Windows wants to know of a junction: a
// REPARSE_DATA_BUFFER with a mount point's names of target, an absolute path
// with backslashes. It is nil for a path that is too long for one.
func junctionData(target string) []byte {
	shown := utf16.Encode([]rune(target))
	meant := append(utf16.Encode([]rune(`\??\`)), shown...)
	names := 2 * (len(meant) + 1 + len(shown) + 1)
	if reparseHead+mountPointNames+names > maxReparse {
		return nil
	}
	b := binary.LittleEndian.AppendUint32(nil, mountPoint)
	b = binary.LittleEndian.AppendUint16(b, uint16(mountPointNames+names))
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint16(b, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(2*len(meant)))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*len(meant)+2))
	b = binary.LittleEndian.AppendUint16(b, uint16(2*len(shown)))
	for _, name := range [][]uint16{meant, shown} {
		for _, c := range name {
			b = binary.LittleEndian.AppendUint16(b, c)
		}
		b = binary.LittleEndian.AppendUint16(b, 0)
	}
	return b
}
