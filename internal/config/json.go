package config

import "github.com/ibid-pm/ibid/internal/jsjson"

// parseJSON reads one JSON value.
func parseJSON(s string) (Value, bool) {
	v, err := jsjson.Parse([]byte(s))
	if err != nil {
		return Value{}, false
	}
	return fromJSON(v), true
}

func fromJSON(v jsjson.Value) Value {
	switch v.Kind() {
	case jsjson.Null:
		return null
	case jsjson.Bool:
		return NewBool(v.Bool())
	case jsjson.Number:
		return NewNumber(v.Num())
	case jsjson.String:
		return NewString(v.Str())
	case jsjson.Array:
		items := make([]Value, 0, v.Len())
		for _, item := range v.Items() {
			items = append(items, fromJSON(item))
		}
		return NewList(items...)
	case jsjson.Object:
		t := &table{}
		for _, m := range v.Members() {
			t.set(m.Key, fromJSON(m.Value))
		}
		return Value{kind: Object, obj: t}
	}
	return Value{}
}
