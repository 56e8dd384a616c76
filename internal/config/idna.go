package config

import (
	"net/netip"
	"strings"
)

// normalizeIPv6 checks and compresses an address in brackets.
func normalizeIPv6(host string) (string, bool) {
	if !strings.HasSuffix(host, "]") || strings.Contains(host, "%") {
		return "", false
	}
	addr, err := netip.ParseAddr(host[1 : len(host)-1])
	if err != nil || !addr.Is6() {
		return "", false
	}
	if addr.Is4In6() {
		// The standard writes the last two groups in hexadecimal.
		b := addr.As16()
		return "[::ffff:" + hex16(b[12], b[13]) + ":" + hex16(b[14], b[15]) + "]", true
	}
	return "[" + addr.String() + "]", true
}

func hex16(hi, lo byte) string {
	s := string([]byte{hexDigits[hi>>4], hexDigits[hi&15], hexDigits[lo>>4], hexDigits[lo&15]})
	s = strings.TrimLeft(s, "0")
	if s == "" {
		return "0"
	}
	return s
}

// narrow maps the full-width forms of ASCII to ASCII, and the other full stops
// to the usual one.
func narrow(r rune) rune {
	switch {
	case r >= 0xff01 && r <= 0xff5e:
		return r - 0xfee0
	case r == 0x3002 || r == 0xff61:
		return '.'
	}
	return r
}

// punycode writes the labels of host that are not ASCII in their xn-- form
// (RFC 3492).
func punycode(host string) string {
	labels := strings.Split(host, ".")
	for i, label := range labels {
		for j := range len(label) {
			if label[j] >= 0x80 {
				labels[i] = "xn--" + punycodeLabel([]rune(label))
				break
			}
		}
	}
	return strings.Join(labels, ".")
}

func punycodeLabel(label []rune) string {
	const base, tmin, tmax, skew, damp = 36, 1, 26, 38, 700
	var out []byte
	for _, r := range label {
		if r < 0x80 {
			out = append(out, byte(r))
		}
	}
	basic := len(out)
	handled := basic
	if basic > 0 {
		out = append(out, '-')
	}
	n, delta, bias := rune(0x80), 0, 72
	for handled < len(label) {
		m := rune(0x7fffffff)
		for _, r := range label {
			if r >= n && r < m {
				m = r
			}
		}
		delta += int(m-n) * (handled + 1)
		n = m
		for _, r := range label {
			if r < n {
				delta++
			}
			if r != n {
				continue
			}
			q := delta
			for k := base; ; k += base {
				t := min(max(k-bias, tmin), tmax)
				if q < t {
					break
				}
				d := t + (q-t)%(base-t)
				out = append(out, "abcdefghijklmnopqrstuvwxyz0123456789"[d])
				q = (q - t) / (base - t)
			}
			out = append(out, "abcdefghijklmnopqrstuvwxyz0123456789"[q])
			if handled == basic {
				delta /= damp
			} else {
				delta /= 2
			}
			delta += delta / (handled + 1)
			k := 0
			for delta > (base-tmin)*tmax/2 {
				delta /= base - tmin
				k += base
			}
			bias = k + (base-tmin+1)*delta/(delta+skew)
			delta = 0
			handled++
		}
		delta++
		n++
	}
	return string(out)
}
