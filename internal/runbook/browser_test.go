package runbook

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// tab is a page of a browser that shows a runbook from a file.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// browse starts a browser, or skips the test.
func browse(t *testing.T) tab {
	t.Helper()
	var path string
	var err error
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err = exec.LookPath(name); err == nil {
			break
		}
	}
	if err != nil {
		t.Skipf("no Chromium here: %v (make peers installs it)", err)
	}
	ctx, late := context.WithTimeout(context.Background(), 3*time.Minute)
	alloc, stopAlloc := chromedp.NewExecAllocator(ctx, chromedp.ExecPath(path), chromedp.Headless, chromedp.NoSandbox,
		chromedp.NoFirstRun, chromedp.DisableGPU, chromedp.WindowSize(1280, 900), chromedp.WSURLReadTimeout(time.Minute))
	page, stop := chromedp.NewContext(alloc)
	t.Cleanup(func() { stop(); stopAlloc(); late() })
	p := tab{t, page}
	p.do()
	return p
}

func (p tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

func (p tab) media(medium, scheme string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	check(p.t, err)
}

func js[T any](p tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// keep keeps a picture where OMT_TEST_SCREENS says; where it says nothing, none is taken.
func (p tab) keep(name string) {
	p.t.Helper()
	if dir := os.Getenv("OMT_TEST_SCREENS"); dir != "" {
		b, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
		check(p.t, err)
		check(p.t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
}

// The page is one that people can use on screens, on a telephone and on paper; what is copied of it is the command; and
// by the rules that axe holds for WCAG 2.2 AA nothing is wrong with it.
func TestPage(t *testing.T) {
	p := browse(t)
	r := gather(t, Options{Tenant: tested(t).ten, To: "@tenant.url", Start: time.Date(2026, 11, 27, 20, 0, 0, 0, time.UTC)})
	name := filepath.Join(t.TempDir(), "runbook.html")
	check(t, os.WriteFile(name, written(t, func(b *bytes.Buffer) error { return r.WriteHTML(b) }), 0o600))
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+filepath.ToSlash(name)))
	axe, _ := os.ReadFile(filepath.Join(os.Getenv("OMT_TEST_AXE"), "node_modules", "axe-core", "axe.min.js"))
	for _, width := range []int64{1280, 390} {
		p.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			p.media("screen", scheme)
			if js[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
				t.Errorf("at %d pixels the page is wider than the screen", width)
			}
			p.keep(fmt.Sprintf("runbook-%d-%s.png", width, scheme))
			if len(axe) == 0 {
				continue
			}
			p.do(chromedp.Evaluate[chromedp.Void](string(axe) + "\n;undefined"))
			if found := js[[]string](p, `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 160) + " " + n.failureSummary.replaceAll("\n", " "))))`); len(found) > 0 {
				t.Errorf("%d pixels, %s: %d violations\n%s", width, scheme, len(found), strings.Join(found[:min(len(found), 8)], "\n"))
			}
		}
	}
	p.media("print", "dark")
	p.do(chromedp.EmulateViewport(718, 1000))
	if wide := js[[]string](p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))`); len(wide) > 0 {
		t.Errorf("what is cut off on paper: %q", wide)
	}
	p.keep("runbook-print.png")
	p.media("screen", "light")
	got := js[string](p, `(() => { const s = getSelection(); s.selectAllChildren(document.querySelector("#step-1 pre")); return s.toString(); })()`)
	want := make([]string, 0, 8)
	for _, c := range r.Steps[1].Commands {
		want = append(want, c.Bash())
	}
	if got != strings.Join(want, "\n") {
		t.Errorf("copied is\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}
