package board

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// axe looks for what keeps people from using a page as it is now, and fails the test for each.
type axe struct {
	*tab
	source string
}

func newAxe(t *testing.T, p *tab) axe {
	t.Helper()
	dir := os.Getenv("OMT_TEST_AXE")
	if dir == "" {
		t.Skip("OMT_TEST_AXE names no folder with axe-core (make test sets it)")
	}
	b, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skipf("axe-core could not be installed: %v", err)
	}
	return axe{p, string(b)}
}

// look judges the page by all rules that axe holds for WCAG 2.2 AA and by its best practices.
func (a axe) look(t *testing.T, where string) {
	t.Helper()
	// Evaluated by the debugger, which the content security policy does not hold back.
	if !js[bool](a.tab, `"axe" in window`) {
		a.do(chromedp.Evaluate[chromedp.Void](a.source + "\n;undefined"))
	}
	found := js[[]string](a.tab, `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 160) + " " + n.failureSummary.replaceAll("\n", " "))))`)
	if len(found) > 0 {
		t.Errorf("%s: %d violations\n%s", where, len(found), strings.Join(found[:min(len(found), 5)], "\n"))
	}
}

// TestAccessibility: no violation in any view or dialog, in light and dark, with marks and without.
func TestAccessibility(t *testing.T) {
	in := assigned(some(30, 8))
	in.Users[1].Username, in.Users[2].Plan = in.Users[0].Username, nil
	in.Plans[3].Seats = 1
	in.Users[4].Welcome = nil
	survey := plan.Survey{Header: manifest.Header{ID: "x"}, Findings: []manifest.Finding{
		{Rule: "shared-person", Severity: manifest.SeverityError, Subjects: []string{"user:7"}, Message: "U0 and U1 are one person"},
		{Rule: "travel", Severity: manifest.SeverityWarning, Subjects: []string{"user:8"}, Message: "U1 travels"}}}
	p := open(t, in, Options{Survey: survey, Notes: []string{"a note"}})
	a := newAxe(t, p)
	for _, scheme := range []string{"light", "dark"} {
		p.scheme(scheme)
		for _, view := range []string{"checklist", "plans", "usernames", "notifications"} {
			p.view(view)
			a.look(t, fmt.Sprintf("%s, %s", view, scheme))
			p.shot(fmt.Sprintf("axe-%s-%s.png", view, scheme))
		}
		for view, what := range map[string]string{"usernames": "Pattern", "notifications": "Cancel", "plans": "OK", "checklist": "Let it stand"} {
			p.view(view)
			p.press(what)
			p.wait(`document.querySelector("dialog")`)
			if what == "Pattern" {
				p.wait(`document.querySelector("dialog .rows")`)
			}
			a.look(t, fmt.Sprintf("%s, %s, %s", what, view, scheme))
			js[any](p, `document.querySelector("dialog").close()`)
		}
		p.view("plans")
		p.click(cardOf(js[int64](p, `Number(document.querySelector(".card").dataset.id)`)) + `.querySelector("h3")`)
		p.press("Move to")
		p.wait(`document.querySelector(".menu")`)
		a.look(t, "menu, "+scheme)
		js[any](p, `document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }))`)
		p.press("Clear")
		p.view("usernames")
		p.press("Removals")
		p.wait(`document.querySelector("dialog .removals")`)
		a.look(t, "removals, "+scheme)
		js[any](p, `document.querySelector("dialog").close()`)
	}
	p.press("Cancel")
	p.press("End, forget")
	p.wait(`document.querySelector(".over")`)
	a.look(t, "after the end")
}
