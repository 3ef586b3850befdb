package cli

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Flag is one flag of a command: a name, words for help, and a place for its value. It is made by String, Int and the
// like, whose destination holds the default. It implements urfave's Flag, which stores the raw text in it; the value is
// read, from the text, a file or a variable, when the command that owns the flag is about to act.
type Flag struct {
	name     string
	usage    string
	category string
	def      string // the default, for help; never the present value
	want     string // what it takes, for messages
	set      func(value string) error
	isBool   bool
	repeats  bool
	noEnv    bool
	secret   bool // no value on the command line
	numeric  bool
	variable string // OMT_PACK_LEVEL; empty when there is none

	raw   []string // as given on the command line
	given bool     // by the command line or the variable
}

// String is a flag that takes any text. usage names its value in backquotes: "keep chunks in `DIR`".
func String(name, usage string, dst *string) *Flag {
	return &Flag{name: name, usage: usage, def: *dst, want: "a text", set: func(v string) error {
		*dst = v
		return nil
	}}
}

// Secret is a flag whose value may not stand on the command line, where others can read it: it takes @FILE there, and the
// value itself from its variable alone.
func Secret(name, usage string, dst *string) *Flag {
	f := String(name, usage, dst)
	f.def, f.want, f.secret = "", "a secret", true
	return f
}

// Strings is a flag that may be repeated; commas mean nothing in it. The values replace what dst held.
func Strings(name, usage string, dst *[]string) *Flag {
	first := true
	return &Flag{name: name, usage: usage, def: strings.Join(*dst, ", "), want: "a text", repeats: true,
		set: func(v string) error {
			if first {
				*dst, first = nil, false
			}
			*dst = append(*dst, v)
			return nil
		}}
}

// List is a flag whose value is a list with commas: --only document,template. Given again, it adds.
func List(name, usage string, dst *[]string) *Flag {
	f := Strings(name, usage, dst)
	f.want = "names with commas between them"
	add := f.set
	f.set = func(v string) error {
		for part := range strings.SplitSeq(v, ",") {
			part = strings.TrimSpace(part)
			if part == "" {
				return errors.New("want " + f.want)
			}
			if err := add(part); err != nil {
				return err
			}
		}
		return nil
	}
	return f
}

// Bool is a flag without a value; --name=false takes it back.
func Bool(name, usage string, dst *bool) *Flag {
	f := parsed(name, usage, "", "true or false", dst, strconv.ParseBool)
	f.isBool, f.numeric = true, false
	return f
}

// Int is a flag that takes a whole number from low to high.
func Int(name, usage string, dst *int, low, high int) *Flag {
	want := fmt.Sprintf("a whole number from %d to %d", low, high)
	return parsed(name, usage, strconv.Itoa(*dst), want, dst, func(s string) (int, error) {
		n, err := strconv.Atoi(s)
		if err == nil && (n < low || n > high) {
			err = strconv.ErrRange
		}
		return n, err
	})
}

// Int64 is a flag that takes any whole number.
func Int64(name, usage string, dst *int64) *Flag {
	return parsed(name, usage, strconv.FormatInt(*dst, 10), "a whole number", dst, func(s string) (int64, error) {
		return strconv.ParseInt(s, 10, 64)
	})
}

// Size is a flag that takes a number of bytes, as ParseSize reads it.
func Size(name, usage string, dst *int64) *Flag {
	return parsed(name, usage, orNone(*dst, FormatSize), wantSize, dst, ParseSize)
}

// Rate is a flag that takes bytes per second, as ParseRate reads them.
func Rate(name, usage string, dst *int64) *Flag {
	return parsed(name, usage, orNone(*dst, FormatSize), wantRate, dst, ParseRate)
}

// Age is a flag that takes a length of time, as ParseAge reads it.
func Age(name, usage string, dst *time.Duration) *Flag {
	return parsed(name, usage, orNone(*dst, FormatDuration), wantAge, dst, ParseAge)
}

// Duration is a flag that takes a length of time for which something is done; it reads what Age reads.
func Duration(name, usage string, dst *time.Duration) *Flag {
	return parsed(name, usage, orNone(*dst, FormatDuration), wantTime, dst, ParseAge)
}

// Percent is a flag that takes a share: 5% is 0.05.
func Percent(name, usage string, dst *float64) *Flag {
	def := orNone(*dst, func(f float64) string { return strconv.FormatFloat(f*100, 'f', -1, 64) + "%" })
	return parsed(name, usage, def, wantPercent, dst, ParsePercent)
}

// Choice is a flag that takes one of some words.
func Choice(name, usage string, dst *string, words ...string) *Flag {
	f := parsed(name, usage, *dst, "one of "+strings.Join(words, ", "), dst, func(s string) (string, error) {
		if !slices.Contains(words, s) {
			return "", strconv.ErrSyntax
		}
		return s, nil
	})
	f.numeric = false
	return f
}

// Func is a flag that may be repeated and whose values parse takes in their order. want says what a value is ("LOGIN=NAME");
// it is all that is said of a wrong value from a variable or a file, so that the value stays unknown. What parse
// returns is said where the value stands on the command line.
func Func(name, usage, want string, parse func(value string) error) *Flag {
	return &Flag{name: name, usage: usage, want: want, repeats: true, set: parse}
}

// Parsed is a flag of a notation of its own. want and what parse returns are said as Func says them.
func Parsed(name, usage, want string, parse func(value string) error) *Flag {
	return &Flag{name: name, usage: usage, want: want, numeric: true, set: parse}
}

// Numeric reports whether the value is a number, a size or the like, so that no text passes for it.
func (f *Flag) Numeric() bool { return f.numeric }

// NoVariable takes the flag's variable away.
func (f *Flag) NoVariable() *Flag {
	f.noEnv = true
	return f
}

// Given reports whether the flag was given, on the command line or as a variable. It is known in Validate and Action.
func (f *Flag) Given() bool { return f.given }

// parsed is a flag of a type with its own notation. A wrong value is described by want alone.
func parsed[T any](name, usage, def, want string, dst *T, parse func(string) (T, error)) *Flag {
	return &Flag{name: name, usage: usage, def: def, want: want, numeric: true, set: func(v string) error {
		x, err := parse(v)
		if err != nil {
			return errors.New("want " + want)
		}
		*dst = x
		return nil
	}}
}

func orNone[T comparable](v T, format func(T) string) string {
	var zero T
	if v == zero {
		return ""
	}
	return format(v)
}

// rawValue is what the flag package of the standard library sets: it keeps the text and never fails.
type rawValue struct{ f *Flag }

func (r rawValue) String() string   { return "" }
func (r rawValue) IsBoolFlag() bool { return r.f != nil && r.f.isBool }
func (r rawValue) Set(s string) error {
	r.f.raw = append(r.f.raw, s)
	return nil
}

// Apply registers the flag for parsing. (urfave)
func (f *Flag) Apply(set *flag.FlagSet) error {
	set.Var(rawValue{f}, f.name, f.usage)
	return nil
}

// Names returns the one name of the flag. (urfave)
func (f *Flag) Names() []string { return []string{f.name} }

// IsSet reports whether the flag was given. (urfave)
func (f *Flag) IsSet() bool { return f.given || len(f.raw) > 0 }

// IsVisible is true: no flag is hidden. (urfave)
func (f *Flag) IsVisible() bool { return true }

// GetCategory returns the heading in help. (urfave)
func (f *Flag) GetCategory() string { return f.category }

// TakesValue reports whether a value follows the flag. (urfave)
func (f *Flag) TakesValue() bool { return !f.isBool }

// GetUsage returns the words for help. (urfave)
func (f *Flag) GetUsage() string { return strings.ReplaceAll(f.usage, "`", "") }

// GetValue returns nothing: documents must not hold what a variable of the moment says. (urfave)
func (f *Flag) GetValue() string { return "" }

// GetDefaultText returns the default that is compiled in. (urfave)
func (f *Flag) GetDefaultText() string { return f.def }

// GetEnvVars returns the name of the variable. (urfave)
func (f *Flag) GetEnvVars() []string {
	if f.variable == "" {
		return nil
	}
	return []string{f.variable}
}

// String returns the line of help: name, tab, meaning, default, variable. (urfave)
func (f *Flag) String() string {
	var b strings.Builder
	b.WriteString("--" + f.name)
	if !f.isBool {
		placeholder := "VALUE"
		if parts := strings.SplitN(f.usage, "`", 3); len(parts) == 3 {
			placeholder = parts[1]
		}
		b.WriteString(" " + placeholder)
	}
	b.WriteString("\t" + f.GetUsage())
	if f.repeats {
		b.WriteString(" (may be repeated)")
	}
	if f.def != "" {
		fmt.Fprintf(&b, " (default: %s)", f.def)
	}
	if f.variable != "" {
		fmt.Fprintf(&b, " [%s]", f.variable)
	}
	return b.String()
}
