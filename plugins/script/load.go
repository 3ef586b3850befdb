package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/openomt/omt/plugins/sdk"
)

// What the names of files that are rules end with.
const (
	sqlEnd  = ".sql"
	jsonEnd = ".rule.json"
)

// maxFile is how large such a file may be.
const maxFile = 1 << 20

// load makes rules of the files in a folder, by name, and the rule about the folder itself in front of them. It never fails:
// a file of which no rule can be made is a rule that fails, so that it is not missed.
func load(dir string) []sdk.Rule {
	names, err := ruleFiles(dir)
	rules := []sdk.Rule{folderRule(dir, names, err)}
	taken := map[string]string{folderID: "the plugin itself"}
	for _, name := range names {
		id := idOf(name)
		r, err := loadFile(dir, name, id)
		if err == nil {
			err = sdk.Plugin{Name: "script", Rules: []sdk.Rule{r}}.Validate()
		}
		if err == nil && taken[r.ID] != "" {
			err = fmt.Errorf("its id %q is that of %s", r.ID, taken[r.ID])
		}
		if err != nil {
			r = broken(freeID(id, taken), name, err)
		}
		taken[r.ID] = name
		rules = append(rules, r)
	}
	return rules
}

// ruleFiles are the files that are rules, sorted by name. Hidden ones are not, as the lock file has it.
func ruleFiles(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		low := strings.ToLower(e.Name())
		if !e.IsDir() && !strings.HasPrefix(low, ".") && (strings.HasSuffix(low, sqlEnd) || strings.HasSuffix(low, jsonEnd)) {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// loadFile makes a rule of a file.
func loadFile(dir, name, id string) (sdk.Rule, error) {
	path := filepath.Join(dir, name)
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return sdk.Rule{}, err
	case !info.Mode().IsRegular():
		return sdk.Rule{}, errors.New("it is no regular file")
	case info.Size() > maxFile:
		return sdk.Rule{}, fmt.Errorf("it has %d bytes, and at most %d are read", info.Size(), maxFile)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return sdk.Rule{}, err
	}
	text, err := decodeText(b)
	if err != nil {
		return sdk.Rule{}, fmt.Errorf("%w: save it as UTF-8", err)
	}
	if strings.HasSuffix(strings.ToLower(name), sqlEnd) {
		return sqlRule(id, text)
	}
	return jsonRule(dir, id, text)
}

var notInID = regexp.MustCompile(`[^a-z0-9]+`)

// idOf is the id that a file's name gives.
func idOf(name string) string {
	low := strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(name), sqlEnd), jsonEnd)
	id := notInID.ReplaceAllString(low, "-")
	if len(id) > 60 {
		id = id[:60]
	}
	if id = strings.Trim(id, "-"); id == "" {
		return "script"
	}
	return id
}

// freeID is an id that no other rule has.
func freeID(id string, taken map[string]string) string {
	free := id
	for n := 2; taken[free] != ""; n++ {
		free = fmt.Sprintf("%s-%d", id, n)
	}
	return free
}

// broken is the rule of a file of which none can be made. It can be listed, and is never completed.
func broken(id, name string, err error) sdk.Rule {
	reason := strings.Join(strings.Fields(err.Error()), " ")
	return sdk.Rule{
		ID: id, Title: fmt.Sprintf("rules/%s cannot be run", name), Severity: sdk.Error, Reads: []string{sdk.KindHeader},
		Help: fmt.Sprintf("rules/%s: %s. Put it right and run \"omt-scan rules --lock\", or take the file away.", name, reason),
		Check: func(context.Context, *sdk.Input, sdk.Report) error {
			return fmt.Errorf("rules/%s: %s", name, reason)
		},
	}
}

// folderID is the rule about the folder itself.
const folderID = "script-folder"

// folderRule says which scripts of the folder no rule runs.
func folderRule(dir string, names []string, err error) sdk.Rule {
	return sdk.Rule{
		ID: folderID, Title: "every script in the folder rules is run", Severity: sdk.Info, Reads: []string{sdk.KindHeader},
		Help: "Queries (.sql) and scripts that a .rule.json file names are rules. A script that none names looks at nothing. Name it in a " +
			".rule.json file, or take it away.",
		Check: func(_ context.Context, _ *sdk.Input, report sdk.Report) error {
			if err != nil {
				return err
			}
			idle, err := idleScripts(dir, names)
			for _, name := range idle {
				report(sdk.Finding{Subjects: []string{"script:" + name}, Message: fmt.Sprintf("rules/%s is named by no .rule.json file: it is not run", name)})
			}
			return err
		},
	}
}

// idleScripts are the scripts that no descriptor mentions.
func idleScripts(dir string, names []string) ([]string, error) {
	var mentioned strings.Builder
	for _, name := range names {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err == nil && strings.HasSuffix(strings.ToLower(name), jsonEnd) {
			text, _ := decodeText(b)
			mentioned.WriteString(text)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var idle []string
	for _, e := range entries {
		ext := strings.ToLower(filepath.Ext(e.Name()))
		if !e.IsDir() && slices.Contains(scripts, ext) && !strings.HasPrefix(e.Name(), ".") && !strings.Contains(mentioned.String(), e.Name()) {
			idle = append(idle, e.Name())
		}
	}
	return idle, nil
}
