package board

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// row is a user's row.
func row(id int64) string { return fmt.Sprintf(`document.querySelector("tr[data-id='%d']")`, id) }

func nameOf(id int64) string { return row(id) + `.querySelector("input[type=text]")` }

// write types a user name in place of the one there is.
func (p *tab) write(id int64, text string) {
	p.t.Helper()
	p.click(nameOf(id))
	p.key("a", chromedp.ModifierCtrl)
	p.key(kb.Delete)
	if text != "" {
		p.do(chromedp.KeyEvent(text))
	}
	p.key(kb.Tab)
}

// TestDuplicate: both rows are marked with the wizard's words, and either name that changes takes both marks away.
func TestDuplicate(t *testing.T) {
	in := assigned(some(9, 2))
	in.Users[0].Login, in.Users[1].Login = "HH", "HUH"
	p := open(t, in, Options{})
	p.view("usernames")
	p.write(7, strings.ToUpper(in.Users[1].Username))
	for id, want := range map[int64]string{
		7: "HH: user name 'HANS.SCHPAA1@EXAMPLE.COM' is also used by HUH", 8: "HUH: user name 'hans.schpaa1@example.com' is also used by HH"} {
		p.wait(fmt.Sprintf(`%s.querySelector(".mark").textContent === %q`, row(id), want))
		p.wait(nameOf(id) + `.getAttribute("aria-invalid") === "true"`)
	}
	p.shot("duplicate.png")
	p.press("2 marked")
	p.wait(`document.querySelectorAll("tbody tr").length === 2`)
	p.write(8, "")
	p.wait(row(8) + `.querySelector(".mark").textContent === "HUH: no user name"`)
	p.press("1 marked")
	p.write(8, "wrong@")
	p.wait(row(8) + `.querySelector(".mark").textContent.startsWith("HUH: user name 'wrong@' is no e-mail address: ")`)
	p.wait(`document.querySelector("nav [data-view=usernames] .hidden").textContent === ": open"`)
	// One of the addresses of the card.
	p.click(row(8) + `.querySelector(".pick")`)
	p.press("u1@old.example.com")
	p.wait(row(8) + `.querySelector(".mark").textContent === ""`)
	p.wait(`document.querySelector("nav [data-view=usernames] .hidden").textContent === ": done"`)
	if got := p.told(8, "username"); got != "u1@old.example.com" {
		t.Errorf("the command has %v", got)
	}
}

func TestSort(t *testing.T) {
	p := open(t, assigned(some(30, 3)), Options{})
	p.view("usernames")
	ids := func() string {
		return js[string](p, `[...document.querySelectorAll("tbody tr")].slice(0, 3).map((r) => r.dataset.id).join(" ")`)
	}
	for _, c := range []struct{ column, up, down string }{
		{"Id", "7 8 9", "36 35 34"}, {"Login", "7 8 9", "36 35 34"}, {"Admin", "7 8 9", "8 9 10"},
		{"Full name", "17 29 9", "36 28 20"}, {"User plan", "9 12 15", "8 11 14"},
	} {
		head := fmt.Sprintf(`[...document.querySelectorAll("th button")].find((b) => b.textContent === %q)`, c.column)
		p.click(head)
		if c.column == "Full name" { // letters of other scripts stand where the browser's language has them
			continue
		}
		got := ids()
		p.click(head)
		if again := ids(); c.column != "Admin" && c.column != "User plan" && (got != c.up || again != c.down) || got == again {
			t.Errorf("%s: %s and %s", c.column, got, again)
		}
	}
	if got := js[string](p, `[...document.querySelectorAll("th")].map((t) => t.getAttribute("aria-sort") ?? "").join("")`); got != "descending" {
		t.Errorf("aria-sort %q", got)
	}
}

// paste gives text to the field with the focus, as a spreadsheet would.
func (p *tab) paste(text string) {
	p.t.Helper()
	js[any](p, fmt.Sprintf(`(() => { const d = new DataTransfer(); d.setData("text/plain", %q);
		document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: d, bubbles: true, cancelable: true })); })()`, text))
}

func TestPaste(t *testing.T) {
	p := open(t, assigned(some(9, 2)), Options{})
	p.view("usernames")
	p.press("Id")
	p.click(nameOf(8))
	p.paste("a@example.com\r\nb@example.com\r\n\r\n\"gunn.schpaa0@example.com\"\r\n")
	p.wait(`document.querySelector("dialog .preview")?.textContent.startsWith("3 user names, 1 with a mark")`)
	p.shot("paste.png")
	if got := p.told(8, "username"); got == "a@example.com" {
		t.Error("pasted before it was said")
	}
	p.press("Apply")
	for id, want := range map[int64]string{8: "a@example.com", 9: "b@example.com", 10: "ingrid.hansen4@example.com", 11: "gunn.schpaa0@example.com"} {
		if id == 10 { // an empty cell changes nothing
			want = js[string](p, nameOf(id)+`.value`)
		}
		p.wait(fmt.Sprintf(`%s.value === %q`, nameOf(id), want))
		if got := p.told(id, "username"); got != want {
			t.Errorf("%d: %v, want %s", id, got, want)
		}
	}
	// Two columns say whose; one step takes all back.
	p.press("Paste")
	js[any](p, `(() => { const a = document.querySelector("textarea"); a.value = "Login\tUser name\nu5\tfive@example.com\nNOBODY\tx@example.com\n16\t"; a.dispatchEvent(new Event("input")); })()`)
	p.wait(`document.querySelector("dialog .preview").textContent.includes("not among the rows shown: NOBODY")`)
	p.press("Apply")
	p.wait(nameOf(12) + `.value === "five@example.com"`)
	p.press("OK") // leaves the field, and says what blocks
	p.press("Close")
	p.click(`document.querySelector("[aria-label=Undo]")`)
	p.click(`document.querySelector("[aria-label=Undo]")`)
	p.wait(nameOf(8) + `.value === "hans.schpaa1@example.com"`)
	if got := p.told(12, "username"); got == "five@example.com" {
		t.Errorf("after undo the command has %v", got)
	}
}

func TestPatternForMany(t *testing.T) {
	in := assigned(some(12, 2))
	none := ""
	in.Users[1].Plan, in.Users[1].Username = &none, ""
	in.Users[2].Name = ""
	p := open(t, in, Options{})
	p.view("usernames")
	p.press("Pattern")
	js[any](p, `(() => { const i = document.querySelector("dialog input[type=text]"); i.value = "{f}.{last}@firm.no"; i.dispatchEvent(new Event("input")); })()`)
	p.wait(`document.querySelector("dialog .preview").textContent.includes("a.lie@firm.no") || document.querySelector("dialog .preview").textContent.includes("g.schpaa@firm.no")`)
	p.wait(`document.querySelector("dialog .preview [role=status]").textContent.startsWith("11 user names")`)
	p.shot("pattern.png")
	p.press("Apply")
	p.wait(nameOf(7) + `.value === "g.schpaa@firm.no"`)
	if got := p.told(8, "username"); got != "" {
		t.Errorf("a user without a plan got %v", got)
	}
	if got := p.told(9, "username"); got != in.Users[2].Username {
		t.Errorf("a user without a name got %v", got)
	}
	p.press("Pattern")
	js[any](p, `(() => { const i = document.querySelector("dialog input[type=text]"); i.value = "{given}@x.no"; i.dispatchEvent(new Event("input")); })()`)
	p.wait(`document.querySelector("dialog .preview").textContent.startsWith("{given: want one of {first}")`)
	p.press("Apply") // nothing to apply: the dialog stays
	p.wait(`document.querySelector("dialog")`)
	p.press("Cancel")
}
