package term

import (
	"strings"

	"rsc.io/qr"
)

// QR gives text as a QR code for a camera, two rows of it in a line: the lines,
// and how many columns they take. Light is what is drawn; without colour that is
// right on a dark terminal.
func QR(text string, colour bool) (lines []string, width int, err error) {
	code, err := qr.Encode(text, qr.L)
	if err != nil {
		return nil, 0, err
	}
	const margin = 2
	for y := -margin; y < code.Size+margin; y += 2 {
		var line strings.Builder
		for x := -margin; x < code.Size+margin; x++ {
			upper, lower := code.Black(x, y), code.Black(x, y+1) // what is outside is not black
			switch {
			case upper && lower:
				line.WriteRune(' ')
			case upper:
				line.WriteRune('▄')
			case lower:
				line.WriteRune('▀')
			default:
				line.WriteRune('█')
			}
		}
		if colour {
			lines = append(lines, "\x1b[97;40m"+line.String()+"\x1b[0m")
		} else {
			lines = append(lines, line.String())
		}
	}
	return lines, code.Size + 2*margin, nil
}
