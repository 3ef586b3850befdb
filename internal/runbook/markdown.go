package runbook

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// special are characters that Markdown takes for its own within a line.
var special = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", `\<`, ">", `\>`, "|", `\|`, "#", `\#`, "~", `\~`, "&", `\&`)

func escaped(s string) string { return special.Replace(clean(s)) }

func (n Note) markdown() string {
	text := escaped(n.Text)
	if n.Mark != "" {
		text = "**" + string(n.Mark) + ":** " + text
	}
	return text
}

// WriteMarkdown writes the runbook as Markdown, which can be read as text too.
func (r *Runbook) WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# Migration of %s\n\n%s\n\n%s\n\n", escaped(r.Company), escaped(r.State), escaped(r.head()))
	for _, s := range r.Sizes {
		fmt.Fprintf(&b, "- %s: %s\n", s.Name, escaped(s.Text))
	}
	b.WriteString("\n| | step | when | takes |\n| --- | --- | --- | --- |\n")
	for _, s := range r.Steps {
		fmt.Fprintf(&b, "| %s | %d. %s | %s | %s |\n", box(s), s.Number, escaped(s.Title), escaped(s.When), escaped(s.Takes))
	}
	for _, s := range r.Steps {
		s.markdown(&b)
	}
	fmt.Fprintf(&b, "\n%s\n", escaped(r.foot()))
	_, err := io.WriteString(w, b.String())
	return err
}

func box(s Step) string {
	if s.Done != "" {
		return "[x]"
	}
	return "[ ]"
}

func (s Step) markdown(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %d. %s\n\n", s.Number, escaped(s.Title))
	if s.Done != "" {
		fmt.Fprintf(b, "Done: %s.\n\n", escaped(s.Done))
	}
	fmt.Fprintf(b, "Who: %s. When: %s. Takes: %s.\n\n", escaped(s.Who), escaped(s.When), escaped(s.Takes))
	list(b, s.Notes)
	fence(b, s.Commands)
	list(b, s.After)
	fmt.Fprintf(b, "Way back: %s\n", s.Back.markdown())
	if s.Undo != nil {
		b.WriteString("\n")
		fence(b, []Command{s.Undo})
	}
}

func list(b *strings.Builder, notes []Note) {
	for _, n := range notes {
		fmt.Fprintf(b, "- %s\n", n.markdown())
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
}

// fence writes commands for both shells, once where they are the same.
func fence(b *strings.Builder, list []Command) {
	for _, l := range shells(list) {
		fmt.Fprintf(b, "%s:\n\n```\n", l.Name)
		for _, x := range l.Lines {
			fmt.Fprintf(b, "%s\n", x)
		}
		b.WriteString("```\n\n")
	}
}

// lines are commands for a shell, or for both.
type lines struct {
	Name  string
	Lines []line
}

// line is a command as words that a shell reads.
type line []string

// String is the line to be typed.
func (l line) String() string { return strings.Join(l, " ") }

func shells(list []Command) []lines {
	if len(list) == 0 {
		return nil
	}
	bash, power, same := lines{Name: "bash"}, lines{Name: "PowerShell"}, true
	for _, c := range list {
		x, y := c.words(bashWord), c.words(powershellWord)
		bash.Lines, power.Lines, same = append(bash.Lines, x), append(power.Lines, y), same && slices.Equal(x, y)
	}
	if same {
		bash.Name = "bash and PowerShell"
		return []lines{bash}
	}
	return []lines{bash, power}
}

// head says what times are meant.
func (r *Runbook) head() string {
	text := "T is the start of the freeze"
	if r.Start.IsZero() {
		text += "; --start gives clock times too."
	} else {
		text += ": " + clockOf(r.Start) + ", by the clock of the machine that wrote this (" + r.Start.Format("MST, UTC-07:00") + ")."
	}
	return text + " What is marked is no fact: a guess is what the programs go by without a document, what is not documented has to be asked, what is suggested is advice. " +
		"What was not measured is unknown. Words in capitals (LOGIN, ADDRESS) are to be filled in."
}

func (r *Runbook) foot() string {
	return "Written by " + r.Tool + " on " + r.At.UTC().Format("2006-01-02 15:04") + " UTC, serial number " + r.Serial + "."
}
