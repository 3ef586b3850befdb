package sdk

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/openomt/omt/plugins/sdk/proto"
)

// everything is wanted.
var everything = func() map[string]bool {
	all := map[string]bool{}
	for kind := range spans {
		all[kind] = true
	}
	return all
}()

// times and objects are the fields of messages that are text there and something else here.
var (
	times   = map[string]bool{"created": true, "before": true, "at": true, "mtime": true}
	objects = map[string]bool{"data": true}
)

// fill gives every field of a message a value of its own, and returns what the record must have.
func fill(m protoreflect.Message, n *int64) map[string]any {
	want := map[string]any{}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		*n++
		text := fmt.Sprint("text ", *n)
		name := string(f.Name())
		switch {
		case f.IsMap():
			inner := m.NewField(f).Map()
			paths := inner.NewValue()
			list := paths.Message().Mutable(paths.Message().Descriptor().Fields().ByName("paths")).List()
			list.Append(protoreflect.ValueOfString(text))
			inner.Set(protoreflect.ValueOfString("document").MapKey(), paths)
			m.Set(f, protoreflect.ValueOfMap(inner))
			want[name] = map[string]any{"document": []any{text}}
		case f.IsList() && f.Kind() == protoreflect.MessageKind:
			list := m.Mutable(f).List()
			want[name] = []any{fill(list.AppendMutable().Message(), n)}
		case f.IsList():
			m.Mutable(f).List().Append(protoreflect.ValueOfString(text))
			want[name] = []any{text}
		case f.Kind() == protoreflect.Int64Kind:
			m.Set(f, protoreflect.ValueOfInt64(*n))
			want[name] = float64(*n)
		case f.Kind() == protoreflect.BoolKind:
			m.Set(f, protoreflect.ValueOfBool(true))
			want[name] = true
		case times[name]:
			at := time.Unix(*n, 0).UTC().Format(time.RFC3339)
			m.Set(f, protoreflect.ValueOfString(at))
			want[name] = at
		case objects[name]:
			m.Set(f, protoreflect.ValueOfString(fmt.Sprintf(`{"a":%d,"b":"x","c":true,"d":1.5,"e":null}`, *n)))
			want[name] = map[string]any{"a": float64(*n), "b": "x", "c": true, "d": 1.5}
		default:
			m.Set(f, protoreflect.ValueOfString(text))
			want[name] = text
		}
	}
	return want
}

// TestConvert goes through the contract, so that a field added there is missed here.
func TestConvert(t *testing.T) {
	kinds := (&proto.Record{}).ProtoReflect().Descriptor().Oneofs().ByName("kind").Fields()
	if kinds.Len() != len(spans) {
		t.Errorf("the contract has %d kinds, the SDK %d", kinds.Len(), len(spans))
	}
	for i := range kinds.Len() {
		kind := kinds.Get(i)
		m := &proto.Record{}
		var n int64
		want := fill(m.ProtoReflect().Mutable(kind).Message(), &n)
		records, err := convert([]*proto.Record{m}, everything)
		if err != nil || len(records) != 1 {
			t.Errorf("%s: got %v, %v", kind.Name(), records, err)
			continue
		}
		if records[0].Kind() != string(kind.Name()) {
			t.Errorf("kind %q became %q", kind.Name(), records[0].Kind())
		}
		text, err := json.Marshal(records[0])
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-message +record):\n%s", kind.Name(), diff)
		}
	}
}

func TestConvertLeavesOut(t *testing.T) {
	messages := []*proto.Record{
		{Kind: &proto.Record_User{User: &proto.User{Id: 1}}},
		{}, // of a kind that only a later host knows
		{Kind: &proto.Record_File{File: &proto.File{Id: 2, Mtime: "no time, and nobody reads it"}}},
	}
	records, err := convert(messages, map[string]bool{KindUser: true})
	if err != nil || len(records) != 1 || records[0].(*User).ID != 1 {
		t.Errorf("got %v, %v", records, err)
	}
}

func TestConvertOptional(t *testing.T) {
	records, err := convert([]*proto.Record{{Kind: &proto.Record_User{User: &proto.User{}}}}, everything)
	if err != nil {
		t.Fatal(err)
	}
	if u := records[0].(*User); u.Plan != nil || u.Welcome != nil {
		t.Errorf("undecided became decided: %+v", u)
	}
	records, err = convert([]*proto.Record{{Kind: &proto.Record_File{File: &proto.File{}}}}, everything)
	if err != nil || !records[0].(*File).MTime.IsZero() {
		t.Errorf("no time became %v, %v", records[0].(*File).MTime, err)
	}
}

func TestConvertErrors(t *testing.T) {
	for name, c := range map[string]struct {
		m    *proto.Record
		want string
	}{
		"a time":   {&proto.Record{Kind: &proto.Record_File{File: &proto.File{Mtime: "today"}}}, `record of kind "file": parsing time "today"`},
		"no JSON":  {&proto.Record{Kind: &proto.Record_Fact{Fact: &proto.Fact{Data: "{"}}}, `record of kind "fact": its data: unexpected EOF`},
		"an array": {&proto.Record{Kind: &proto.Record_Fact{Fact: &proto.Fact{Data: "[]"}}}, `record of kind "fact": its data: `},
		"two":      {&proto.Record{Kind: &proto.Record_Fact{Fact: &proto.Fact{Data: "{}{}"}}}, "something stands behind the object"},
	} {
		if _, err := convert([]*proto.Record{c.m}, everything); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
	}
}

func TestObject(t *testing.T) {
	for text, want := range map[string]map[string]any{
		"":                                 {},
		"null":                             {},
		`{"n":9223372036854775807}`:        {"n": int64(9223372036854775807)},
		`{"n":-1,"f":1.0,"g":1e2,"s":"1"}`: {"n": int64(-1), "f": 1.0, "g": 100.0, "s": "1"},
		`{"n":9223372036854775808}`:        {"n": float64(9223372036854775808)},
		`{"n":1e999}`:                      {"n": "1e999"},
		`{"gone":null,"l":[1,{"a":2}],"b":false}`: {"l": []any{int64(1), map[string]any{"a": int64(2)}}, "b": false},
	} {
		got, err := object(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func FuzzObject(f *testing.F) {
	f.Add(`{"a":1,"b":[{"c":null}],"d":1.5}`)
	f.Fuzz(func(t *testing.T, text string) {
		got, err := object(text)
		if err != nil {
			return
		}
		again, err := json.Marshal(got)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		twice, err := object(string(again))
		if err != nil {
			t.Fatalf("%q became %q: %v", text, again, err)
		}
		third, _ := json.Marshal(twice)
		if string(third) != string(again) {
			t.Errorf("%q became %q, then %q", text, again, third)
		}
	})
}
