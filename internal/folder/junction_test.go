package folder

import (
	"bytes"
	"strings"
	"testing"
)

func TestAJunctionNamesItsTargetTwice(t *testing.T) {
	want := []byte("\x03\x00\x00\xa0" + // tag
		"\x20\x00\x00\x00" + // length of what follows, reserved
		"\x00\x00\x0e\x00" + // what is meant: offset, length
		"\x10\x00\x06\x00" + // what is shown
		"\\\x00?\x00?\x00\\\x00C\x00:\x00\\\x00\x00\x00" + "C\x00:\x00\\\x00\x00\x00")
	if got := junctionData(`C:\`); !bytes.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestATargetTooLongForAJunctionHasNone(t *testing.T) {
	if junctionData(`C:\`+strings.Repeat("x", 4000)) == nil {
		t.Error("a path of 4000 characters fits")
	}
	if junctionData(`C:\`+strings.Repeat("x", 5000)) != nil {
		t.Error("a path of 5000 characters does not fit")
	}
}
