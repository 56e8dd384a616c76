package term

import (
	"strings"
	"testing"

	"rsc.io/qr"
)

// A camera sees the code again in the lines, with a margin all around.
func TestQR(t *testing.T) {
	const text = "otpauth://totp/npm:ann?secret=JBSWY3DPEHPK3PXP&issuer=npm"
	lines, width, err := QR(text, false)
	if err != nil {
		t.Fatal(err)
	}
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		t.Fatal(err)
	}
	dark := func(x, y int) bool {
		if y/2 >= len(lines) {
			return false // below the last line
		}
		row := []rune(lines[y/2])
		if len(row) != width {
			t.Fatalf("line %d has %d columns, not %d", y/2, len(row), width)
		}
		switch row[x] {
		case ' ':
			return true
		case '▄':
			return y%2 == 0
		case '▀':
			return y%2 == 1
		}
		return false
	}
	margin := (width - code.Size) / 2
	if margin < 2 {
		t.Errorf("the margin is %d", margin)
	}
	for y := range width {
		for x := range width {
			if got, want := dark(x, y), code.Black(x-margin, y-margin); got != want {
				t.Fatalf("at %d, %d: %v", x, y, got)
			}
		}
	}
	coloured, _, err := QR(text, true)
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range coloured {
		if plain := strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[97;40m"), "\x1b[0m"); plain != lines[i] {
			t.Errorf("line %d in colour is %q", i, line)
		}
	}
}

func TestTextThatIsTooLongForAQRCode(t *testing.T) {
	if _, _, err := QR(strings.Repeat("x", 3000), false); err == nil {
		t.Error("there is a code for it")
	}
}
