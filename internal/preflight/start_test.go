package preflight

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
)

func TestPluginsThatDoNotStart(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a plugin for every case")
	}
	tests := []struct{ name, want string }{
		{"mute", `starting plugin "mute": it did not say within 5s what it holds`},
		{"sleeps", `starting plugin "sleeps": it did not greet within 5s`},
		{"early", `starting plugin "early": it writes "hello from early" where its greeting has to stand; a plugin must not write to its standard output`},
		{"quits", `starting plugin "quits": it ended at once (exit status 3); its last words: no such library`},
		{"far", `starting plugin "far": it listens on "192.0.2.1:80", which is not this machine alone`},
		{"oldway", `starting plugin "oldway": unsupported plugin protocol "netrpc". Supported: [grpc]`},
		{"newer", `starting plugin "newer": incompatible API version with plugin. Plugin version: 99, Client versions: [1]`},
		{"endless", `starting plugin "endless": it writes "xxxx`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			late := tt.name == "mute" || tt.name == "sleeps"
			names := []string{tt.name, "honest"}
			if late {
				names = names[:1]
			}
			o := options(folder(t, names...))
			if late {
				o.StartTimeout = 5 * time.Second
			}
			h := open(t, o)
			i := slices.IndexFunc(h.Plugins(), func(p Plugin) bool { return p.File == tt.name })
			p := h.Plugins()[i]
			if p.Err == nil || !strings.HasPrefix(p.Err.Error(), tt.want) {
				t.Errorf("error %v, want %s", p.Err, tt.want)
			}
			if strings.ContainsAny(p.Err.Error(), "\n\r") || len(p.Err.Error()) > 1500 {
				t.Errorf("no line: %q", p.Err)
			}
			if checks, _ := check(t, h, header(), users(1)[0]); !late && (len(checks) != 3 || checks[0].Status != manifest.CheckDone) {
				t.Errorf("the other plugin was disturbed: %+v", checks)
			}
		})
	}
}

func TestAFileThatIsNoProgram(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the text is the system's")
	}
	dir := t.TempDir()
	for name, content := range map[string]string{"text": "no program\x00", "script": "#!/nowhere/interpreter\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	lockFolder(t, dir)
	var got []string
	for _, p := range open(t, options(dir)).Plugins() {
		got = append(got, p.Err.Error())
	}
	want := []string{
		`starting plugin "script": starting it: fork/exec ` + dir + `/script: no such file or directory`,
		`starting plugin "text": starting it: fork/exec ` + dir + `/text: exec format error (it is no program for ` + runtime.GOOS + "/" + runtime.GOARCH + ")",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestAPluginIsGivenNoSecret(t *testing.T) {
	for _, name := range []string{"OMT_DB_PASSWORD", "AZURE_CLIENT_SECRET", "OMT_PUSH_TO", "NODE_PATH", "LD_PRELOAD_X"} {
		t.Setenv(name, "geheim")
	}
	t.Setenv("OMT_PLUGIN_LIMIT", "for plugins")
	t.Setenv("LC_TIME", "C")
	dir := folder(t, "tells-env")
	_, findings := check(t, open(t, options(dir)), header())
	text := ""
	for _, f := range findings {
		if f.Rule == "tells-env" {
			text += f.Message
		}
	}
	if strings.Contains(text, "geheim") {
		t.Errorf("the plugin sees a secret: %s", text)
	}
	for _, want := range []string{"PATH=", "OMT_PLUGIN_LIMIT=for plugins", "LC_TIME=C", "in " + dir} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in %s", want, text)
		}
	}
}

func TestWhatAPluginWritesGoesIntoTheLog(t *testing.T) {
	o := options(folder(t, "prints", "badlog"))
	log := logged(&o)
	h := open(t, o)
	checks, _ := check(t, h, header(), users(1)[0])
	for _, c := range checks {
		if c.Status != manifest.CheckDone {
			t.Errorf("check %+v", c)
		}
	}
	// The library forwards what a plugin prints beside its answers: that has no order, and ends with the plugin.
	for _, want := range []string{"to the replaced standard output", "to the real standard output", `@message\":5`} {
		for end := time.Now().Add(30 * time.Second); !strings.Contains(log.String(), want); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("missing %q in\n%s", want, log)
			}
		}
	}
	h.Close()
}

func TestCloseIsQuick(t *testing.T) {
	h := open(t, options(folder(t, "honest", "stubborn", "hang")))
	s, err := h.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range users(600) {
		if err := s.Observe(manifest.Line{Kind: manifest.KindUser}, r); err != nil {
			t.Fatal(err)
		}
	}
	within(t, time.Minute, "Close", h.Close)
	if _, _, err := s.Finish(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("Finish after Close: %v", err)
	}
	h.Close()
}

func TestOpenStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := folder(t, "sleeps")
	time.AfterFunc(300*time.Millisecond, cancel)
	within(t, time.Minute, "Open", func() {
		if _, err := Open(ctx, options(dir)); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
	})
}

func TestIdsBelongToWhoHasThem(t *testing.T) {
	o := options(folder(t, "honest", "named-like", "takes"))
	o.Reserved = map[string][]string{"travel": {"crm"}, "file-unreadable": nil}
	h := open(t, o)
	var got []string
	for _, p := range h.Plugins() {
		if p.Err != nil {
			got = append(got, p.Err.Error())
		}
		for _, r := range p.Rules {
			line := r.Plugin + " " + r.ID
			if r.Err != nil {
				line += ": " + r.Err.Error()
			}
			got = append(got, line)
		}
	}
	want := []string{
		"honest 1.0 saw-users", "honest 1.0 saw-files", "honest 1.0 saw-facts",
		`plugin "named-like" takes no part: it calls itself "honest", as "honest" does`,
		`takes 1.0 saw-users: plugin "honest" has a rule of this id already`,
		"takes 1.0 travel: the id is one of omt's own", "takes 1.0 file-unreadable: the id is one of omt's own", "takes 1.0 takes-own",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	checks, _ := check(t, h, header())
	var ids []string
	for _, c := range checks {
		ids = append(ids, c.Rule+" "+c.Plugin)
	}
	if d := cmp.Diff([]string{"saw-users honest 1.0", "saw-files honest 1.0", "saw-facts honest 1.0", "takes-own takes 1.0"}, ids); d != "" {
		t.Error(d)
	}
}
