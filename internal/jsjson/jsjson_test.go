package jsjson

import "testing"

func TestSmoke(t *testing.T) {
	in := `{"b":1,"10":2,"9":[1,-0,1e3,1e21,1e-7,"\ud800x\ud83d\ude00\u2028</>",{}],"b":{"x":null}}`
	v, err := Parse([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	t.Log(string(Append(nil, v, "  ", "\n")))
	for _, bad := range []string{"", "{", "{a", `{"a" 1}`, `[1,]`, `{"a":1,}`, "tru", `"a`, "01", "1 2", "[1\n 2]"} {
		_, err := Parse([]byte(bad))
		t.Log(bad, "→", err)
	}
}
