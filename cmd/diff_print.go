package cmd

import (
	"path"
	"slices"
	"strings"

	"github.com/ibid-pm/ibid/internal/config"
	"github.com/ibid-pm/ibid/internal/js"
	"github.com/ibid-pm/ibid/internal/term"
	"github.com/ibid-pm/ibid/internal/unidiff"
)

// What diff prints is npm's byte for byte (npm: libnpmdiff lib/format-diff.js):
// a patch that git takes. On a terminal a stranger's control characters show as
// escapes; elsewhere they are written as npm writes them.

// print shows what differs between the two sides.
func (d *differ) print(x, y *side) {
	cfg := d.Config
	src, dst := cfg.String("diff-src-prefix"), cfg.String("diff-dst-prefix")
	if src == "" {
		src = "a/"
	}
	if dst == "" {
		dst = "b/"
	}
	if cfg.Bool("diff-no-prefix") {
		src, dst = "", ""
	}
	tagPrefix := cfg.String("tag-version-prefix")
	if tagPrefix == "" {
		tagPrefix = "v"
	}
	p := &patchPrinter{
		ink: d.ink(), terminal: d.terminal(),
		options: unidiff.Options{Context: cfg.Int("diff-unified"), IgnoreSpace: cfg.Bool("diff-ignore-all-space")},
		index:   "index " + tagPrefix + x.version + ".." + tagPrefix + y.version + " ",
	}
	names := slices.Clone(x.names)
	for _, name := range y.names {
		if _, ok := x.files[name]; !ok {
			names = append(names, name)
		}
	}
	for _, name := range names {
		was, is := x.files[name], y.files[name]
		if was == is {
			continue
		}
		if cfg.Bool("diff-name-only") {
			p.line("", name)
			continue
		}
		p.file(name, src+name, dst+name, was, is)
	}
	d.write([]byte(shownPatch(js.Trim(p.b.String()))))
}

// patchPrinter writes a patch, in colours or not.
type patchPrinter struct {
	b        strings.Builder
	ink      ink
	terminal bool
	options  unidiff.Options
	index    string // the line that git expects, up to the mode
}

const (
	headerColour  = "34"
	removedColour = "31"
	addedColour   = "32"
	sectionColour = "36"
)

func (p *patchPrinter) file(name, srcName, dstName string, was, is diffFile) {
	mode := ""
	head := []string{"diff --git " + srcName + " " + dstName}
	switch {
	case was.mode == is.mode:
		mode = was.mode
	case is.mode == "":
		head = append(head, "deleted file mode "+was.mode)
	case was.mode == "":
		head = append(head, "new file mode "+is.mode)
	default:
		head = append(head, "old mode "+was.mode, "new mode "+is.mode)
	}
	head = append(head, p.index+mode)
	// npm's --diff-text has no effect: the check is made without the options.
	text := !binaryFile(name)
	plain := 0
	if text && srcName == dstName {
		head = append(head, "Index: "+srcName)
		plain = 1 // npm counts one line too few then
	}
	head = append(head, "--- "+srcName, "+++ "+dstName)
	for i, line := range head {
		colour := headerColour
		if i >= len(head)-plain {
			colour = patchColour(line)
		}
		p.line(colour, line)
	}
	if !text {
		return
	}
	patch := unidiff.Text(unidiff.Diff(was.text, is.text, p.options))
	if patch == "" {
		return
	}
	// npm takes one tab off the end of each line, not only of the names.
	for line := range strings.SplitSeq(strings.TrimSuffix(strings.ReplaceAll(patch, "\t\n", "\n"), "\n"), "\n") {
		p.line(patchColour(line), line)
	}
}

func patchColour(line string) string {
	switch {
	case strings.HasPrefix(line, "-"):
		return removedColour
	case strings.HasPrefix(line, "+"):
		return addedColour
	case strings.HasPrefix(line, "@@"):
		return sectionColour
	}
	return ""
}

// line writes one line. JavaScript sees the end of a line at a carriage return
// and at Unicode's separators, too: what is behind them has no colour of the
// line's.
func (p *patchPrinter) line(colour, text string) {
	if p.terminal {
		text = term.Safe(strings.TrimSuffix(text, "\r"))
	}
	if !p.ink || colour == "" {
		p.b.WriteString(text)
		p.b.WriteByte('\n')
		return
	}
	end := strings.IndexAny(text, "\r\u2028\u2029")
	if end < 0 {
		end = len(text)
	}
	part := text[:end]
	if colour == sectionColour {
		part = part[:strings.LastIndex(part, "@@")+len("@@")]
	}
	p.b.WriteString("\x1b[" + colour + "m" + part + "\x1b[39m" + text[len(part):] + "\n")
}

// shownPatch is what npm makes of any text that it prints: control characters
// in caret notation, except those of colours, secrets hidden, and lines ended
// by a line feed alone (npm: lib/utils/format.js).
func shownPatch(s string) string {
	if strings.ContainsFunc(s, hiddenControl) {
		var b strings.Builder
		for i, r := range s {
			switch {
			case !hiddenControl(r), r == 0x1b && colourSequence(s[i+1:]):
				b.WriteRune(r)
			case r <= 31:
				b.WriteString("^" + string(r+64))
			default:
				b.WriteString("^" + string(r-64))
			}
		}
		s = b.String()
	}
	return strings.ReplaceAll(config.RedactWords(s), "\r\n", "\n")
}

func hiddenControl(r rune) bool {
	return r < 0x20 && (r < '\t' || r > '\r' || r == '\f') || r >= 0x7f && r <= 0x9f
}

// colourSequence says whether what follows an escape sets a colour.
func colourSequence(s string) bool {
	rest, ok := strings.CutPrefix(s, "[")
	if !ok {
		return false
	}
	end := strings.IndexFunc(rest, func(r rune) bool { return r != ';' && (r < '0' || r > '9') })
	return end >= 0 && end <= 8 && rest[end] == 'm'
}

// binaryFile says whether a file's name has an extension that npm takes for that
// of a binary file (npm: binary-extensions).
func binaryFile(name string) bool {
	base := path.Base(name)
	ext := base
	if !strings.HasPrefix(base, ".") {
		ext = path.Ext(base)
	}
	if ext == "" {
		return false
	}
	_, found := slices.BinarySearch(strings.Fields(binaryExtensions), ext[1:])
	return found
}

// binaryExtensions are in the order of their bytes.
const binaryExtensions = `
3dm 3ds 3g2 3gp 7z DS_Store a aac adp afdesign afphoto afpub ai aif aiff alz ape apk appimage ar arj asf au avi bak baml
bh bin bk bmp btif bz2 bzip2 cab caf cgm class cmx cpio cr2 cr3 cur dat dcm deb dex djvu dll dmg dng doc docm docx dot
dotm dra dsk dts dtshd dvb dwg dxf ecelp4800 ecelp7470 ecelp9600 egg eol eot epub exe f4v fbs fh fla flac flatpak fli
flv fpx fst fvt g3 gh gif graffle gz gzip h261 h263 h264 icns ico ief img ipa iso jar jpeg jpg jpgv jpm jxr key ktx lha
lib lvp lz lzh lzma lzo m3u m4a m4v mar mdi mht mid midi mj2 mka mkv mmr mng mobi mov movie mp3 mp4 mp4a mpeg mpg mpga
mxu nef npx numbers nupkg o odp ods odt oga ogg ogv otf ott pages pbm pcx pdb pdf pea pgm pic png pnm pot potm potx ppa
ppam ppm pps ppsm ppsx ppt pptm pptx psd pya pyc pyo pyv qt rar ras raw resources rgb rip rlc rmf rmvb rpm rtf rz s3m
s7z scpt sgi shar sil sketch slk smv snap snk so stl sub suo swf tar tbz tbz2 tga tgz thmx tif tiff tlz ttc ttf txz udf
uvh uvi uvm uvp uvs uvu viv vob war wav wax wbmp wdp weba webm webp whl wim wm wma wmv wmx woff woff2 wrm wvx xbm xif
xla xlam xls xlsb xlsm xlsx xlt xltm xltx xm xmind xpi xpm xwd xz z zip zipx
`
