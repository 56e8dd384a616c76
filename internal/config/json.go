package config

import (
	"encoding/json"
	"strings"
)

// parseJSON reads one JSON value.
func parseJSON(s string) (Value, bool) {
	if s != "" && (s[0] == '"' || s[0] == '{' || s[0] == '[' || s[0] == '-' || s[0] >= '0' && s[0] <= '9' || s == "true" || s == "false" || s == "null" || isSpace(rune(s[0]))) {
		dec := json.NewDecoder(strings.NewReader(s))
		var x any
		if dec.Decode(&x) != nil || dec.More() {
			return Value{}, false
		}
		return fromJSON(x), true
	}
	return Value{}, false
}

func fromJSON(x any) Value {
	switch x := x.(type) {
	case nil:
		return null
	case bool:
		return NewBool(x)
	case float64:
		return NewNumber(x)
	case string:
		return NewString(x)
	case []any:
		items := make([]Value, len(x))
		for i := range x {
			items[i] = fromJSON(x[i])
		}
		return NewList(items...)
	case map[string]any:
		t := &table{}
		for k, v := range x {
			t.set(k, fromJSON(v))
		}
		return Value{kind: Object, obj: t}
	}
	return Value{}
}
