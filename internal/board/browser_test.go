package board

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/openomt/omt/internal/plan"
)

// chromium is one browser for all tests.
type chromium struct {
	once sync.Once
	ctx  context.Context
	stop func()
	err  error
}

func (c *chromium) start() {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, c.err = exec.LookPath(name); c.err == nil {
			break
		}
	}
	if c.err != nil {
		return
	}
	alloc, stopAlloc := chromedp.NewExecAllocator(context.Background(), chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox,
		chromedp.NoFirstRun, chromedp.DisableGPU, chromedp.WindowSize(1280, 720), chromedp.WSURLReadTimeout(time.Minute))
	ctx, stop := chromedp.NewContext(alloc)
	c.ctx, c.err = ctx, chromedp.Do(ctx)
	c.stop = func() { stop(); stopAlloc() }
}

var browser = &chromium{}

func TestMain(m *testing.M) {
	status := m.Run()
	if browser.stop != nil {
		browser.stop()
	}
	os.Exit(status)
}

// patience is how long a page may take to show what was asked for.
const patience = 45 * time.Second

// tab is a page of a board.
type tab struct {
	t   testing.TB
	ctx context.Context
	*running
}

// open starts a board and a browser without cookies on it. The test fails when the page throws or breaks its policy.
func open(t testing.TB, in plan.Input, o Options) *tab {
	t.Helper()
	b := run(t, in, o)
	return visit(t, b, chromedp.WithNewBrowserContext())
}

// visit opens another page of a board.
func visit(t testing.TB, b *running, how ...chromedp.ContextOption) *tab {
	t.Helper()
	browser.once.Do(browser.start)
	if browser.err != nil {
		t.Skipf("no Chromium here: %v (make peers installs it)", browser.err)
	}
	return enter(t, b, browser.ctx, b.address, how...)
}

func enter(t testing.TB, b *running, parent context.Context, address string, how ...chromedp.ContextOption) *tab {
	t.Helper()
	ctx, stop := chromedp.NewContext(parent, how...)
	ctx, late := context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(func() { late(); stop() })
	p := &tab{t, ctx, b}
	if err := chromedp.Do(ctx); err != nil {
		t.Fatal(err)
	}
	exceptions := chromedp.Events(ctx, runtime.ExceptionThrown)
	console := chromedp.Events(ctx, runtime.ConsoleAPICalled)
	go func() {
		for e, err := range exceptions {
			if err != nil {
				return
			}
			t.Errorf("the page threw: %s %v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
		}
	}()
	go func() {
		for e, err := range console {
			if err != nil {
				return
			}
			for _, a := range e.Args {
				t.Logf("console.%s: %s", e.Type, a.Value)
			}
		}
	}()
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(1280, 720), chromedp.Navigate(address)); err != nil {
		t.Fatal(err)
	}
	p.wait(`document.querySelector("#bar .primary, .over") !== null`)
	return p
}

// js evaluates an expression.
func js[T any](p *tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression holds.
func (p *tab) wait(condition string) {
	p.t.Helper()
	late := time.Now().Add(patience)
	for {
		if ok, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](`Boolean(`+condition+`)`)); err == nil && ok {
			return
		}
		if time.Now().After(late) {
			p.shot("failed.png")
			p.t.Fatalf("never: %s", condition)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// view goes to a view.
func (p *tab) view(id string) {
	p.t.Helper()
	js[any](p, fmt.Sprintf(`location.hash = %q`, id))
	p.wait(fmt.Sprintf(`document.body.dataset.view === %q`, id))
	// What is out of view is found out with the first frame; before it nothing there can be hit.
	js[any](p, `new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => r(1))))`)
}

// at is the centre of the element that an expression names.
func (p *tab) at(element string) (x, y float64) {
	p.t.Helper()
	p.wait(element)
	xy := js[[2]float64](p, `(() => { const r = (`+element+`).getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; })()`)
	return xy[0], xy[1]
}

// click clicks on the element that an expression names.
func (p *tab) click(element string, how ...chromedp.MouseOption) {
	p.t.Helper()
	x, y := p.at(element)
	p.do(chromedp.MouseClickXY(x, y, how...))
}

// press presses the button with a text.
func (p *tab) press(text string) {
	p.t.Helper()
	p.click(button(text))
}

func button(text string) string {
	return fmt.Sprintf(`[...document.querySelectorAll("dialog button, .menu button, button, a")].find((b) => b.textContent.trim().startsWith(%q) && b.getClientRects().length)`, text)
}

// drag moves the mouse from one element to another with the button held.
func (p *tab) drag(from, to string) {
	p.t.Helper()
	x, y := p.at(from)
	a, b := p.at(to)
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMousePressed, x, y, chromedp.ButtonLeft, chromedp.ClickCount(1)))
	for i := 1; i <= 8; i++ {
		f := float64(i) / 8
		p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x+(a-x)*f, y+(b-y)*f, chromedp.ButtonLeft))
	}
	p.do(chromedp.MouseEvent(input.DispatchMouseEventTypeMouseReleased, a, b, chromedp.ButtonLeft, chromedp.ClickCount(1)))
}

// key presses a key.
func (p *tab) key(key string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(key, chromedp.KeyModifiers(modifiers...)))
}

// cardOf and columnOf name elements.
func cardOf(id int64) string {
	return fmt.Sprintf(`document.querySelector(".card[data-id='%d']")`, id)
}

func columnOf(place string) string {
	return fmt.Sprintf(`document.querySelector('.column[data-place="%s"]')`, place)
}

// placed waits until a user's card stands in a column, here and in the command.
func (p *tab) placed(id int64, place string) {
	p.t.Helper()
	p.wait(fmt.Sprintf(`%s?.closest(".column").dataset.place === %q`, cardOf(id), place))
}

// scheme sets light or dark.
func (p *tab) scheme(name string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}}})
	if err != nil {
		p.t.Fatal(err)
	}
}

// shot keeps a picture where OMT_TEST_SCREENS says, or nowhere.
func (p *tab) shot(name string) {
	dir := os.Getenv("OMT_TEST_SCREENS")
	if dir == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name), png, 0o600)
	}
	if err != nil {
		p.t.Errorf("%s: %v", name, err)
	}
}

// TestScreens takes pictures for somebody to look at.
func TestScreens(t *testing.T) {
	if os.Getenv("OMT_TEST_SCREENS") == "" {
		t.Skip("OMT_TEST_SCREENS names no folder")
	}
	for _, c := range []struct {
		name         string
		users, plans int
		ready        bool
	}{{"100", 100, 5, false}, {"5000", 5000, 26, true}, {"9", 9, 2, false}} {
		in := some(c.users, c.plans)
		if c.ready {
			in = assigned(in)
		}
		p := open(t, in, Options{})
		for _, size := range [][2]int64{{1280, 720}, {1440, 900}} {
			p.do(chromedp.EmulateViewport(size[0], size[1]))
			for _, scheme := range []string{"light", "dark"} {
				p.scheme(scheme)
				for _, view := range []string{"checklist", "plans", "usernames", "notifications"} {
					p.view(view)
					time.Sleep(200 * time.Millisecond)
					p.shot(fmt.Sprintf("%s-%s-%d-%s.png", c.name, view, size[0], scheme))
				}
			}
		}
	}
}
