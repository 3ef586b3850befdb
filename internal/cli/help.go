package cli

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/xrash/smetrics"

	"github.com/openomt/omt/internal/manifest"
)

// commonCategory is the heading above the flags that every command has.
const commonCategory = "COMMON"

// nearest returns the word of words that is most like typed, or nothing where none is near.
func nearest(typed string, words []string) string {
	best, near := 0.8, "" // below it, suggestions are noise
	for _, word := range words {
		if d := smetrics.JaroWinkler(typed, word, 0.7, 4); d > best {
			best, near = d, word
		}
	}
	return near
}

func (c *Command) synopsis(path []string) string {
	s := strings.Join(path, " ")
	if len(c.Commands) > 0 {
		names := make([]string, 0, len(c.Commands))
		for _, sub := range c.Commands {
			names = append(names, sub.Name)
		}
		s += " [" + strings.Join(names, "|") + "]"
	}
	return s + " [flags]"
}

// statuses returns what each exit status of the command means.
func (c *Command) statuses() map[manifest.Status]string {
	usual := map[manifest.Status]string{
		manifest.OK:          "done",
		manifest.Failed:      "could not finish",
		manifest.Usage:       "the command line or configuration is wrong; nothing was read",
		manifest.Remarks:     "finished, with remarks that a person should read",
		manifest.BadInput:    "the input is cut short, edited or from a failed stage; nothing was changed",
		manifest.Refused:     "refused, nothing done",
		manifest.Interrupted: "interrupted; run it again to go on",
	}
	all := map[manifest.Status]string{}
	for _, s := range []manifest.Status{manifest.OK, manifest.Failed, manifest.Usage, manifest.Interrupted} {
		all[s] = usual[s]
	}
	if c.Reads {
		all[manifest.BadInput] = usual[manifest.BadInput]
	}
	for s, meaning := range c.Statuses {
		if meaning == "" {
			meaning = usual[s]
		}
		all[s] = meaning
	}
	return all
}

// help is the template of the command's help. It reads the library's fields, and ends with the exit statuses.
func (c *Command) help() string {
	var b strings.Builder
	b.WriteString(helpHead)
	all := c.statuses()
	for _, s := range slices.Sorted(maps.Keys(all)) {
		fmt.Fprintf(&b, "   {{%q}}\t{{%q}}\n", fmt.Sprintf("%-3d", int(s)), all[s])
	}
	return b.String()
}

const helpHead = `NAME:
   {{template "helpNameTemplate" .}}

USAGE:
   {{.UsageText}}{{if .Description}}

DESCRIPTION:
   {{template "descriptionTemplate" .}}{{end}}{{if .VisibleCommands}}

SUBCOMMANDS:{{template "visibleCommandTemplate" .}}{{end}}

FLAGS:{{template "visibleFlagCategoryTemplate" .}}
   A value @PATH is read from that file, @@x is the value @x. In PowerShell quote it: '@PATH'.
   A name in brackets is the variable that gives the flag when the command line does not.

EXIT STATUS:
`
