package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What tests give as a secret where everybody may see it: on a command line.
const (
	envSecret = "env-not-a-secret-4711"
	urlSecret = "url-not-a-secret-4712"
	sasSecret = "sas-not-a-secret-4713"
)

// Passwords of the environment, of command lines, of Service's config and of the database stand nowhere but in the
// tables that hold them: in no manifest, journal, log, message or file chunk. Every site is searched (hunt_test.go); here
// is what could hold them all.
func TestSecrets(t *testing.T) {
	t.Parallel()
	b, w := fresh(t)
	found := 0
	for _, content := range tree(t, b.path("inst")) {
		if inText([]byte(content), sampleSecret) {
			found++
		}
	}
	if found < 2 {
		t.Fatalf("the sample has its password in %d files: this proves too little", found)
	}
	w.env = []string{"OMT_DB_PASSWORD=" + envSecret}
	w.hide(urlSecret, sasSecret)
	results := w.pipe(nil, piped()...)
	w.wantAll(results, 3, 0, 0, 3)
	w.write(results[3].out, "done.jsonl")
	w.run("omt-pack", "verify", "--from", "dest")
	w.run(unpackStep...)
	w.run("omt-push", "status", "--to", "dest")
	w.run("omt-pack", "list", "--from", "dest")
	w.run("omt-scan", "detect", "--install", "inst/service")
	// What fails shows what it was given, but not that. Plain http leaves no machine, so that nothing is sent anywhere.
	w.want(1, "omt-scan", "--db", "sqlserver://sa:"+urlSecret+"@127.0.0.1:1?database=crm&dial+timeout=1", "--prefix", "crm7",
		"--login", "ADM0", "--migrator-name", "x", "--migrator-email", "x@x.example", "--migrator-phone", "1", "--migrator-language", "en", "--root", "document=inst/so_arc", "--plans", "inst/plans.csv")
	w.want(2, "omt-push", "--in", "done.jsonl", "--to", "http://example.blob.core.windows.net/tenant?sv=2024&sig="+sasSecret)
	w.want(2, "omt-pack", "verify", "--from", "http://example.blob.core.windows.net/tenant?sv=2024&sig="+sasSecret)
	logs := 0
	for name := range tree(t, w.path("tmp")) {
		if strings.HasSuffix(name, ".log") {
			logs++
		}
	}
	if logs < w.started-2 { // two are refused for their command line, before a log is opened
		t.Errorf("there are %d logs of %d runs", logs, w.started)
	}
	for _, dir := range []string{"tmp", "dest", "spool", "out"} {
		if len(tree(t, w.path(dir))) == 0 {
			t.Errorf("there is nothing in %s that could be searched", dir)
		}
	}
	w.tablesHold(t)
}

// tablesHold says where the database's own password is: in the part of its table and in what was unpacked of it.
func (w world) tablesHold(t *testing.T) {
	t.Helper()
	unpacked, err := os.ReadFile(w.path("out.sqlite"))
	if err != nil || !inText(unpacked, sampleSecret) {
		t.Errorf("the unpacked database does not hold the password that the source holds: %v", err)
	}
	config := filepath.Join("out", "service", "config")
	if w.has(config) {
		t.Error("Service's config, which holds passwords, was moved")
	}
	for _, f := range records(t, w.read("done.jsonl"), "file") {
		if f["path"] == "config" && f["area"] == "service" && fmt.Sprint(f["state"], f["reason"]) != "leftsecrets" {
			t.Errorf("the manifest says of Service's config: %v", f)
		}
	}
}

// printsEnvironment is a rule that finds every variable that it is given.
const printsEnvironment = `{"title": "what is given", "severity": "info", "help": "Shows it.", "reads": ["migrator"], "run": ["sh", "given.sh"]}`

// Plugins are handed a few variables, and none that holds a secret: a script that prints its environment shows what the
// plugin that runs it was given.
func TestSecretsReachNoPlugin(t *testing.T) {
	t.Parallel()
	needs(t, "sh", "sed", "env")
	w := sample(t, "--clean")
	var names []string
	for _, name := range []string{"OMT_DB_PASSWORD", "OMT_PUSH_TO", "OMT_SCAN_DB_PASSWORD", "AZURE_CLIENT_SECRET", "AZURE_STORAGE_KEY", "AWS_SECRET_ACCESS_KEY",
		"KRB5CCNAME", "PGPASSWORD", "http_proxy", "HTTPS_PROXY", "SSH_AUTH_SOCK", "LD_PRELOAD_LATER", "PYTHONPATH", "NODE_OPTIONS"} {
		names = append(names, name+"="+envSecret)
	}
	w.env = append(names, "OMT_PLUGIN_HOUSE=shown-to-plugins")
	w.plugins(map[string]string{"rules/given.rule.json": printsEnvironment, "rules/given.sh": "cat >/dev/null\n" +
		`env | sed 's/[\\"]/_/g; s/[^ -~]/_/g; s/\(.*\)/{"message":"\1"}/'` + "\n"})
	w.want(0, scanStep...)
	w.want(0, autoStep...)
	w.want(0, packStep...)
	for _, name := range ruleStage {
		m := w.read(name)
		if inText(m, envSecret) {
			t.Errorf("%s holds a secret of the environment", name)
		}
		given := map[string]string{}
		for _, f := range found(t, "", m)["given"] {
			key, value, _ := strings.Cut(fmt.Sprint(f["message"]), "=")
			given[key] = value
		}
		if given["OMT_PLUGIN_HOUSE"] != "shown-to-plugins" || given["PATH"] == "" {
			t.Errorf("%s: the plugin was not given what is meant for it: %v", name, given)
		}
		for key := range given {
			if strings.HasPrefix(key, "OMT_") && !strings.HasPrefix(key, "OMT_PLUGIN_") {
				t.Errorf("%s: the plugin was given %s", name, key)
			}
		}
	}
	for name, content := range tree(t, w.path("tmp")) {
		if inText([]byte(content), envSecret) {
			t.Errorf("tmp/%s holds a secret of the environment", name)
		}
	}
}
