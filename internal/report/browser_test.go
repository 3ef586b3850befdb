package report

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
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/openomt/omt/internal/manifest"
	"github.com/openomt/omt/internal/tenant"
)

// tab is a page of a browser that shows a report from a file.
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

// show opens a report.
func (p tab) show(r *Report) {
	p.t.Helper()
	name := filepath.Join(p.t.TempDir(), "report.html")
	check(p.t, os.WriteFile(name, written(p.t, func(b *bytes.Buffer) error { return r.WriteHTML(b) }), 0o600))
	p.do(chromedp.EmulateViewport(1280, 900), chromedp.Navigate("file://"+filepath.ToSlash(name)))
}

func js[T any](p tab, expression string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// media sets what the page is shown on, and light or dark.
func (p tab) media(medium, scheme string) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: medium,
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}})
	check(p.t, err)
}

// keep keeps a picture where OMT_TEST_SCREENS says; where it says nothing, none is taken.
func (p tab) keep(name string, take chromedp.Action[[]byte]) {
	p.t.Helper()
	dir := os.Getenv("OMT_TEST_SCREENS")
	if dir == "" && !strings.HasSuffix(name, ".pdf") {
		return
	}
	b, err := chromedp.Run(p.ctx, take)
	check(p.t, err)
	if len(b) < 1000 {
		p.t.Errorf("%s has %d bytes", name, len(b))
	}
	if dir != "" {
		check(p.t, os.WriteFile(filepath.Join(dir, name), b, 0o600))
	}
}

// large is a migration as customers have them: most is there, and some is not.
func large(t *testing.T) *Report {
	t.Helper()
	list := small(true)
	var out []manifest.Record
	for _, r := range list {
		switch x := r.(type) {
		case manifest.Installation:
			x.Owner = "Brødrene Ærlig Kontorrekvisita AS"
			r = x
		case manifest.Table:
			if x.Name == "document" {
				x.Rows += 800
			}
			if x.Name == "associate" {
				x.Rows = 1_204_311
			}
			r = x
		case manifest.Chunk:
			if x.Table == "document" {
				x.Rows += 800
			}
			if x.Table == "associate" {
				x.Rows = 1_204_311
			}
			r = x
		}
		out = append(out, r)
		if f, ok := r.(manifest.File); ok && f.ID == 101 {
			for i := range 800 {
				f.ID, f.Path = int64(1000+i), fmt.Sprintf("BOB/2002.1/first.docx %04d", i)
				out = append(out, f)
			}
		}
	}
	s := newSite(t)
	earlier := make([]manifest.Record, len(out))
	copy(earlier, out)
	s.commit(idA, 60, earlier, func(c *tenant.Commit) { c.Company = "Kalles" })
	c := s.commit(idA, 200, append(out, manifest.Waiver{Rule: "travel", Subject: "user:9", Reason: "on leave until spring", By: "KK", At: moment(16), Until: "2026-12-31"}), nil)
	bad := proof(c, 210)
	bad.Problems, bad.First = 1, []string{"chunk 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 (document) is not there"}
	good := proof(c, 300)
	good.Files, good.Rows, good.Runs = 806, 1_205_120, 2
	good.Ended = moment(372)
	good.Database = &tenant.ProvedDatabase{URL: "sqlserver://tenant:1433?database=crm", Tables: 2, Rows: 1_205_120}
	for _, p := range []tenant.Proof{bad, good} {
		_, err := s.ten.PutProof(t.Context(), p)
		check(t, err)
	}
	return s.must("")
}

// The page is one that people can use, in light and dark, on paper, on a telephone, and without script; it asks for nothing.
func TestPage(t *testing.T) {
	p := browse(t)
	_, err := chromedp.Call(p.ctx, network.Enable, network.EnableParams{})
	check(t, err)
	asked := chromedp.Events(p.ctx, network.RequestWillBeSent)
	go func() {
		for e, err := range asked {
			if err != nil {
				return
			}
			if !strings.HasPrefix(e.Request.URL, "file:///") {
				t.Errorf("the page asks for %s", e.Request.URL)
			}
		}
	}()
	for name, r := range map[string]*Report{"small": told(t), "large": large(t)} {
		p.show(r)
		for _, scheme := range []string{"light", "dark"} {
			p.media("screen", scheme)
			p.keep(fmt.Sprintf("report-%s-%s.png", name, scheme), chromedp.FullScreenshot(100))
		}
		p.media("print", "dark")
		p.do(chromedp.EmulateViewport(718, 1000))
		if got := js[string](p, `getComputedStyle(document.body).backgroundColor`); got != "rgb(255, 255, 255)" {
			t.Errorf("on paper the page is %s", got)
		}
		if wide := js[[]string](p, `[...document.querySelectorAll("main *")].filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 80))`); len(wide) > 0 {
			t.Errorf("what is cut off on paper: %q", wide)
		}
		p.keep("report-"+name+"-print.png", chromedp.FullScreenshot(100))
		p.keep("report-"+name+".pdf", chromedp.PrintToPDF())
		p.media("screen", "light")
		p.do(chromedp.EmulateViewport(390, 844))
		if js[bool](p, `document.documentElement.scrollWidth > innerWidth`) {
			t.Error("the page is wider than a telephone")
		}
		p.keep("report-"+name+"-narrow.png", chromedp.FullScreenshot(100))
	}
	if got := js[string](p, `document.querySelector("h1").textContent`); !strings.Contains(got, "documents are at the tenant") {
		t.Errorf("first stands %q", got)
	}
}

// TestAccessibility: no violation in light and dark, by all rules that axe holds for WCAG 2.2 AA and its best practices.
func TestAccessibility(t *testing.T) {
	dir := os.Getenv("OMT_TEST_AXE")
	if dir == "" {
		t.Skip("OMT_TEST_AXE names no folder with axe-core (make test sets it)")
	}
	source, err := os.ReadFile(filepath.Join(dir, "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Skipf("axe-core could not be installed: %v", err)
	}
	p := browse(t)
	p.show(large(t))
	for _, width := range []int64{1280, 390} {
		p.do(chromedp.EmulateViewport(width, 900))
		for _, scheme := range []string{"light", "dark"} {
			p.media("screen", scheme)
			p.do(chromedp.Evaluate[chromedp.Void](string(source) + "\n;undefined"))
			found := js[[]string](p, `axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.html.slice(0, 160) + " " + n.failureSummary.replaceAll("\n", " "))))`)
			if len(found) > 0 {
				t.Errorf("%d pixels, %s: %d violations\n%s", width, scheme, len(found), strings.Join(found[:min(len(found), 8)], "\n"))
			}
		}
	}
}
