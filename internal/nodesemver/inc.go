package nodesemver

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// Base is the number a new prerelease starts with.
type Base uint8

const (
	BaseZero Base = iota // 1.2.4-beta.0
	BaseOne              // 1.2.4-beta.1
	BaseNone             // 1.2.4-beta
)

func build(major, minor, patch uint64, pre, metadata string) *Version {
	return (*Version)(semver.New(major, minor, patch, pre, metadata))
}

// Inc returns the version after v: release is "major", "minor", "patch",
// "premajor", "preminor", "prepatch", "prerelease", "pre" or "release". A
// prerelease gets the identifier, which may be "" (npm: SemVer.inc).
func (v *Version) Inc(release, identifier string, base Base) (*Version, error) {
	if strings.HasPrefix(release, "pre") {
		if identifier == "" && base == BaseNone {
			return nil, errors.New("invalid increment argument: identifier is empty")
		}
		if identifier != "" && scanDotted(identifier, 0, scanPrereleaseIDStrict) != len(identifier) {
			return nil, fmt.Errorf("invalid identifier: %s", identifier)
		}
	}
	major, minor, patch := v.Major(), v.Minor(), v.Patch()
	isPre := v.Prerelease() != ""
	var pre []string
	if isPre {
		pre = strings.Split(v.Prerelease(), ".")
	}
	var err error
	switch release {
	case "premajor":
		major, minor, patch = major+1, 0, 0
		pre, err = incPrerelease(nil, identifier, base)
	case "preminor":
		minor, patch = minor+1, 0
		pre, err = incPrerelease(nil, identifier, base)
	case "prepatch":
		patch++
		pre, err = incPrerelease(nil, identifier, base)
	case "prerelease":
		if !isPre {
			patch++
		}
		pre, err = incPrerelease(pre, identifier, base)
	case "pre":
		pre, err = incPrerelease(pre, identifier, base)
	case "release":
		if !isPre {
			return nil, fmt.Errorf("version %s is not a prerelease", v.Raw())
		}
		pre = nil
	case "major":
		// 1.0.0-5 is on its way to 1.0.0.
		if minor != 0 || patch != 0 || !isPre {
			major++
		}
		minor, patch, pre = 0, 0, nil
	case "minor":
		if patch != 0 || !isPre {
			minor++
		}
		patch, pre = 0, nil
	case "patch":
		if !isPre {
			patch++
		}
		pre = nil
	default:
		return nil, fmt.Errorf("invalid increment argument: %s", release)
	}
	if err != nil {
		return nil, err
	}
	return build(major, minor, patch, strings.Join(pre, "."), v.Build()), nil
}

// incPrerelease raises the last number of a prerelease, or starts one.
func incPrerelease(pre []string, identifier string, base Base) ([]string, error) {
	start := "0"
	if base == BaseOne {
		start = "1"
	}
	raised := false
	before := strings.Join(pre, ".")
	pre = slices.Clone(pre)
	for i := len(pre) - 1; i >= 0; i-- {
		if isNumeric(pre[i]) && isSafeNumber(pre[i]) {
			n, _ := strconv.ParseUint(pre[i], 10, 64)
			pre[i] = strconv.FormatUint(n+1, 10)
			raised = true
			break
		}
	}
	if !raised {
		if len(pre) > 0 && identifier == before && base == BaseNone {
			return nil, errors.New("invalid increment argument: identifier already exists")
		}
		pre = append(pre, start)
	}
	if identifier == "" {
		return pre, nil
	}
	// beta.1 becomes beta.2, but beta and beta.x become beta.0, as does
	// anything that is not beta at all.
	ids := strings.Split(identifier, ".")
	if hasPrefixIDs(pre, ids) && len(pre) > len(ids) && jsNumeric(pre[len(ids)]) {
		return pre, nil
	}
	if base == BaseNone {
		return []string{identifier}, nil
	}
	return []string{identifier, start}, nil
}

func hasPrefixIDs(pre, ids []string) bool {
	if len(ids) > len(pre) {
		return false
	}
	for i, id := range ids {
		if pre[i] != id && compareIdentifier(pre[i], id) != 0 {
			return false
		}
	}
	return true
}

// jsNumeric reports whether JavaScript's Number() makes a number of a
// prerelease identifier, which is more than digits: "1e5", "0x1f", "-1".
func jsNumeric(id string) bool {
	if len(id) > 2 && id[0] == '0' {
		base := 0
		switch id[1] {
		case 'x', 'X':
			base = 16
		case 'o', 'O':
			base = 8
		case 'b', 'B':
			base = 2
		}
		if base != 0 {
			return strings.IndexFunc(id[2:], func(r rune) bool {
				_, err := strconv.ParseUint(string(r), base, 8)
				return err != nil
			}) < 0
		}
	}
	number := strings.TrimPrefix(id, "-")
	if number == "Infinity" {
		return true
	}
	if number == "" || !isDigit(number[0]) || strings.ContainsAny(number, "xXpP_") {
		return false
	}
	_, err := strconv.ParseFloat(number, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}
