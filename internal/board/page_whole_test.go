package board

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/plan"
)

// TestUndo: everything can be undone and made again, by button and key, over views and a reload.
func TestUndo(t *testing.T) {
	p := open(t, assigned(some(9, 2)), Options{})
	p.view("plans")
	p.drag(cardOf(7), columnOf("-"))
	p.placed(7, "-")
	p.click(cardOf(8) + `.querySelector(".tick input")`)
	p.wait(cardOf(8) + `.querySelector(".tick input").checked`)
	p.click(cardOf(8) + `.querySelector(".crown")`)
	p.wait(`document.querySelector("[aria-label=Undo]").title === "Undo: U1: administrator"`)
	p.view("notifications")
	p.click(`document.querySelector("input[value=all]")`)
	p.wait(`document.querySelector("[aria-label=Undo]").title === "Undo: welcome e-mail to all"`)
	if got := p.told(9, "welcome"); got != true {
		t.Errorf("welcome %v", got)
	}
	p.do(chromedp.Reload())
	p.wait(`document.querySelector("[aria-label=Undo]")?.title === "Undo: welcome e-mail to all"`)
	p.view("plans")
	js[any](p, `document.activeElement.blur()`)
	for range 4 {
		p.key("z", chromedp.ModifierCtrl)
	}
	p.placed(7, sales)
	p.wait(`document.querySelector("[aria-label=Undo]").disabled`)
	for field, want := range map[string]any{"welcome": false, "admin": false, "confidential": false} {
		if got := p.told(8, field); got != want {
			t.Errorf("%s: %v", field, got)
		}
	}
	p.key("y", chromedp.ModifierCtrl)
	p.placed(7, "-")
	if got := p.told(7, "username"); got != "" {
		t.Errorf("user name %v", got)
	}
	p.wait(`document.querySelector("[aria-label=Redo]").title === "Redo: U1: confidential activities"`)
}

// TestWholeWay: from an input in which nothing is chosen to OK, with what is removed shown before.
func TestWholeWay(t *testing.T) {
	in := some(5, 1)
	in.Users[3].Emails = append(in.Users[3].Emails, in.Users[0].Emails[0])
	p := open(t, in, Options{Notes: []string{"a note of the scan"}})
	p.wait(`document.querySelector(".remark").textContent === "a note of the scan"`)
	p.press("OK")
	p.wait(`document.querySelector("dialog h2").textContent === "Not yet"`)
	p.wait(`document.querySelector("dialog").textContent.includes("5 users are undecided")`)
	p.press("To the checklist")
	p.press("Resolve")
	p.wait(`document.body.dataset.view === "plans"`)
	js[any](p, cardOf(7)+`.focus()`)
	p.key("a", chromedp.ModifierCtrl)
	p.press("Move to")
	p.press("Sales Premium")
	p.placed(11, sales)
	p.view("usernames")
	p.press("Pattern")
	js[any](p, `(() => { const i = document.querySelector("dialog input[type=text]"); i.value = "{local}@example.com"; i.dispatchEvent(new Event("input")); })()`)
	p.wait(`document.querySelector("dialog .preview").textContent.includes("none with a mark")`)
	p.press("Apply")
	p.view("notifications")
	p.click(`document.querySelector("input[value=none]")`)
	p.view("checklist")
	p.wait(`document.querySelectorAll(".item.done").length === 4`)
	p.press("OK")
	p.wait(`document.querySelector("dialog .removals")?.textContent.includes("1 address is removed")`)
	p.wait(`document.querySelector("dialog .removals").textContent.includes("U3 (Jörg Hansen)")`)
	p.shot("ok.png")
	p.press("Write the manifest")
	p.wait(`document.querySelector(".over h1")?.textContent === "Your choices are handed over."`)
	out, err := p.running.wait(t)
	if err != nil {
		t.Fatal(err)
	}
	if c := out.Choices; len(c.Set) != 5 || c.Set[0].Plan != sales || c.Set[0].Username != "gunn.schpaa0@example.com" || c.Set[0].Welcome != "false" || c.How != "board" {
		t.Errorf("%+v", c)
	}
}

func TestCancelOnThePage(t *testing.T) {
	dir := t.TempDir()
	p := open(t, assigned(some(3, 1)), Options{StateDir: dir})
	p.view("plans")
	p.drag(cardOf(7), columnOf("-"))
	p.placed(7, "-")
	p.press("Cancel")
	p.press("Back")
	p.wait(`!document.querySelector("dialog")`)
	p.press("Cancel")
	p.press("End, keep the work")
	p.wait(`document.querySelector(".over h1")?.textContent === "Cancelled."`)
	if _, err := p.running.wait(t); manifest.StatusOf(err) != manifest.Interrupted {
		t.Errorf("%v", err)
	}
	p = open(t, assigned(some(3, 1)), Options{StateDir: dir})
	p.wait(`document.querySelector("dialog")?.textContent.includes("1 step, the last on")`)
	p.key(kb.Escape) // it must be said
	p.press("Go on with it")
	p.view("plans")
	p.placed(7, "-")
	p.stop()
	p.wait(`document.querySelector(".over h1")?.textContent === "omt-assign was ended in the terminal."`)
}

// TestTwoTabsOfABrowser: a step in one shows in the other; a step on what is no longer so is not made, and that is said.
func TestTwoTabsOfABrowser(t *testing.T) {
	one := open(t, some(9, 2), Options{})
	one.view("plans")
	two := enter(t, one.running, one.ctx, one.address[:strings.Index(one.address, "?")])
	two.view("plans")
	one.drag(cardOf(7), columnOf(sales))
	two.placed(7, sales)
	// The second tab hears nothing more and goes on.
	js[any](two, `import("./store.js").then((s) => { s.state.revision = 1; })`)
	two.drag(cardOf(8), columnOf(service))
	two.wait(`document.querySelector(".trouble").textContent.includes("This was changed in another tab")`)
	two.placed(8, "?")
	two.shot("conflict.png")
	if got := one.told(8, "plan"); got != nil {
		t.Errorf("the command has %v", got)
	}
	two.press("Close")
	two.wait(`document.querySelector(".trouble").hidden`)
	two.drag(cardOf(8), columnOf(service))
	one.placed(8, service)
}

// TestHostileNames: markup is text, long and right-to-left names stay inside their places.
func TestHostileNames(t *testing.T) {
	in := assigned(some(6, 2))
	hostile := []string{`<script>window.bad=1</script>`, `<img src=x onerror="window.bad=1">`, strings.Repeat("Wolfeschlegelsteinhausen ", 8),
		"\u202eمحمد بن عبد الله", `"><b>x</b>`, "a\u0000b\u2028c"}
	for i := range in.Users {
		u := &in.Users[i]
		u.Name, u.Company, u.Group, u.Role, u.Position = hostile[i], hostile[i], hostile[i], hostile[i], hostile[i]
		u.Emails = []string{hostile[i]}
		u.Username = hostile[i]
	}
	in.Users[4].Login = `<svg onload="window.bad=1">`
	in.Plans[0].Title, in.Plans[1].Title = hostile[0], strings.Repeat("Ж", 200)
	p := open(t, in, Options{Notes: []string{hostile[1]}})
	for _, view := range []string{"checklist", "plans", "usernames", "notifications"} {
		p.view(view)
		p.shot("hostile-" + view + ".png")
		if wide := js[bool](p, `document.documentElement.scrollWidth > innerWidth`); wide {
			t.Errorf("%s: the page scrolls sideways", view)
		}
		if got := js[int](p, `document.querySelectorAll("main script, main img, main b, main svg[onload]").length`); got != 0 {
			t.Errorf("%s: %d elements made of names", view, got)
		}
	}
	p.view("plans")
	if got := js[string](p, cardOf(7)+`.querySelector("h3").textContent`); got != hostile[0] {
		t.Errorf("shown as %q", got)
	}
	for _, id := range []int64{9, 10} {
		if out := js[string](p, fmt.Sprintf(`(() => { const c = %s.getBoundingClientRect(); return [...%[1]s.querySelectorAll("*")].filter((e) => e.getClientRects().length && !e.parentElement.closest("p, h3") && (e.getBoundingClientRect().right > c.right + 1 || e.getBoundingClientRect().bottom > c.bottom + 1)).map((e) => e.outerHTML.slice(0, 90)).join("\n"); })()`, cardOf(id))); out != "" {
			t.Errorf("card %d: outside stand %s", id, out)
		}
	}
	p.click(cardOf(7) + `.querySelector(".more")`)
	p.press("No user plan")
	p.placed(7, "-")
	p.press("OK")
	p.wait(`document.querySelector("dialog")`)
	p.press("Close")
	if bad := js[bool](p, `"bad" in window`); bad {
		t.Error("a name was run")
	}
	if d := cmp.Diff(hostile[0], p.told(7, "name")); d != "" {
		t.Error(d)
	}
}

// TestNotifications: all, none and per user; the summary goes to an address, which must be one.
func TestNotifications(t *testing.T) {
	in := assigned(some(6, 2))
	for i := range in.Users {
		in.Users[i].Welcome = nil
	}
	p := open(t, in, Options{})
	p.view("notifications")
	p.wait(`document.querySelector(".panel .muted").textContent === "0 users get one, 0 none, 6 not chosen"`)
	p.click(`document.querySelector("input[value=all]")`)
	p.wait(`document.querySelector(".panel .muted").textContent === "6 users get one, 0 none"`)
	p.click(row(8) + `.querySelector("input")`)
	p.wait(`document.querySelector(".panel .muted").textContent === "5 users get one, 1 none"`)
	p.wait(`document.querySelector("input[value=each]").checked`)
	for id, want := range map[int64]bool{7: true, 8: false} {
		if got := p.told(id, "welcome"); got != want {
			t.Errorf("%d: %v", id, got)
		}
	}
	p.click(`document.querySelector(".panel input[type=checkbox]")`)
	p.wait(`document.querySelector("[aria-label=Undo]").title === "Undo: user summary by e-mail"`)
	summary := func() string { return js[string](p, `fetch("api/state").then((r) => r.json()).then((v) => v.summary)`) }
	if got := summary(); got != "karl@example.com" {
		t.Errorf("summary to %q", got)
	}
	p.click(`document.querySelector(".panel input[type=text]")`)
	p.key("a", chromedp.ModifierCtrl)
	p.do(chromedp.KeyEvent("boss"))
	p.key(kb.Tab)
	p.wait(`document.querySelector("nav [data-view=notifications] .hidden").textContent === ": open"`)
	p.view("checklist")
	p.wait(`document.querySelector(".checklist").textContent.includes("the address of the user summary, 'boss', is no e-mail address")`)
	p.key("z", chromedp.ModifierCtrl)
	p.key("z", chromedp.ModifierCtrl)
	p.wait(`document.querySelectorAll(".item.done").length === 4`)
	if got := summary(); got != "" {
		t.Errorf("summary to %q", got)
	}
}

// TestLetItStand: an error of a rule is let stand with a reason, and undo takes that back.
func TestLetItStand(t *testing.T) {
	survey := plan.Survey{Header: manifest.Header{ID: "x"}, Findings: []manifest.Finding{
		{Rule: "travel", Severity: manifest.SeverityError, Subjects: []string{"user:7"}, Message: "U0 is on Travel"}}}
	p := open(t, assigned(some(4, 2)), Options{Survey: survey})
	p.press("Let it stand")
	p.wait(`document.querySelector("dialog h2")?.textContent === "Let it stand"`)
	press := `[...document.querySelectorAll("dialog button")].find((b) => b.textContent === "Let it stand")`
	p.click(press) // without a reason it does not go
	p.click(`document.querySelector("dialog input")`)
	p.do(chromedp.KeyEvent("came home"))
	p.click(press)
	p.wait(`document.querySelector(".note.waived")?.textContent.includes("(came home)")`)
	p.wait(`document.querySelectorAll(".item.done").length === 4`)
	p.key("z", chromedp.ModifierCtrl)
	p.wait(`document.querySelector(".note.error")`)
}
