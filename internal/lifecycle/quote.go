package lifecycle

import "strings"

// QuoteSh makes arg one word for a POSIX shell (promise-spawn lib/escape.js,
// sh). A word without special characters stays as it is.
func QuoteSh(arg string) string {
	if arg == "" {
		return "''"
	}
	if !strings.ContainsAny(arg, "\t\n\r \"#$&'()*;<>?\\`|~") {
		return arg
	}
	quoted := "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
	// An argument that starts with a quote, or has two in a row, has left empty
	// pairs behind; npm takes them out, and people compare banners.
	for strings.HasPrefix(quoted, "''") && len(quoted) > 2 {
		quoted = quoted[2:]
	}
	return strings.ReplaceAll(quoted, `\'''`, `\'`)
}

// QuoteCmd makes arg one word for cmd.exe and for the program that cmd.exe
// starts (promise-spawn lib/escape.js, cmd). A batch file is parsed twice, so
// its arguments need the carets twice: double.
func QuoteCmd(arg string, double bool) string {
	if arg == "" {
		return `""`
	}
	quoted := arg
	if strings.ContainsAny(arg, " \t\n\v\"") {
		quoted = quoteWindowsWord(arg)
	}
	quoted = caretEscape(quoted)
	if double {
		quoted = caretEscape(quoted)
	}
	return quoted
}

// quoteWindowsWord quotes for CommandLineToArgvW: backslashes count only
// before a quote.
func quoteWindowsWord(arg string) string {
	var b strings.Builder
	b.WriteByte('"')
	slashes := 0
	for i := 0; i < len(arg); i++ {
		switch c := arg[i]; c {
		case '\\':
			slashes++
		case '"':
			b.WriteString(strings.Repeat(`\`, slashes*2+1))
			b.WriteByte(c)
			slashes = 0
		default:
			b.WriteString(strings.Repeat(`\`, slashes))
			b.WriteByte(c)
			slashes = 0
		}
	}
	b.WriteString(strings.Repeat(`\`, slashes*2))
	b.WriteByte('"')
	return b.String()
}

func caretEscape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(" !%^&()<>|\"", s[i]) >= 0 {
			b.WriteByte('^')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
