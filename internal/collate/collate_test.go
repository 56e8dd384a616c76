package collate

import (
	"encoding/json"
	"os"
	"testing"
)

// recorded is what testdata/record.cjs took down from node: signs[i][j] says
// how word i sorts against word j.
type recorded struct {
	Words []string
	Signs []string
}

func read(t testing.TB) recorded {
	t.Helper()
	data, err := os.ReadFile("testdata/order.json")
	if err != nil {
		t.Fatal(err)
	}
	var r recorded
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func sign(n int) byte { return "<=>"[n+1] }

func TestWordsSortAsInNode(t *testing.T) {
	r := read(t)
	bad := 0
	for i, a := range r.Words {
		for j, b := range r.Words {
			if got := sign(Compare(a, b)); got != r.Signs[i][j] {
				if bad++; bad < 20 {
					t.Errorf("%q %c %q, node says %c", a, got, b, r.Signs[i][j])
				}
			}
		}
	}
	if bad > 0 {
		t.Errorf("%d pairs differ", bad)
	}
}

func TestTheTableAgreesWithTheCollator(t *testing.T) {
	r := read(t)
	for _, a := range r.Words {
		for _, b := range r.Words {
			if Compare(a, b) != compareFull(a, b) {
				t.Errorf("%q and %q: the table says %d, the collator %d", a, b, Compare(a, b), compareFull(a, b))
			}
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	for b.Loop() {
		Compare("node_modules/@babel/plugin-transform-a", "node_modules/@babel/plugin-transform-b")
	}
}

func BenchmarkCompareLong(b *testing.B) {
	const rest = "@7.29.13-1uYJbhm3vLZbyRkYJGxvhw/node_modules/@babel/helper-compilation-targets"
	for b.Loop() {
		Compare("node_modules/.store/@babel/helpers"+rest, "node_modules/.store/@babel/plugin"+rest)
	}
}

func TestEightBytesArePlainWhereEachOfThemIs(t *testing.T) {
	for place := range 8 {
		for c := range 256 {
			for _, others := range [...]string{"abcdefgh", "        ", "~~~~~~~~"} {
				s := []byte(others)
				s[place] = byte(c)
				if got, want := plainEight(eight(string(s))), weights[c] != 0; got != want {
					t.Fatalf("%q is plain: %v", s, got)
				}
			}
		}
	}
}
