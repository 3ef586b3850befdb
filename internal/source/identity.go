package source

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Identity reads owner and serial number from the first company row, and the version from what there is. Which release a
// schema number means is not documented, so that it is told to people and not translated.
func (v *View) Identity(ctx context.Context) (Identity, error) {
	var id Identity
	var seen []string
	p, ok := v.probe("company", "c")
	if ok {
		cols := []string{"ownerContactName", "serialNo", "version", "revision"}
		for r, err := range v.rowsOf(ctx, p, "", []string{"company_id"}, cols...) {
			if err != nil {
				return id, err
			}
			id.Owner, id.Serial = strings.TrimSpace(words(r[0])), strings.TrimSpace(words(r[1]))
			seen = append(seen, fmt.Sprintf("company.version %d, revision %d", number64(r[2]), number64(r[3])))
			break
		}
	}
	modules, err := v.versions(ctx, "ProductVersion", "ProductVersion_id", "version")
	if err != nil {
		return id, err
	}
	service, err := v.versions(ctx, "config", "id", "version")
	if err != nil {
		return id, err
	}
	for _, f := range []struct {
		name string
		all  []string
	}{{"ProductVersion.version", modules}, {"Service config.version", service}} {
		if text, ok := release(f.all); ok && id.Version == "" {
			id.Version, id.VersionFrom = text, f.name
			if n := distinct(f.all); len(n) > 1 {
				id.VersionFrom += ", the highest of " + strings.Join(n, ", ")
			}
		}
		if len(f.all) > 0 {
			seen = append(seen, f.name+" "+strings.Join(distinct(f.all), ", "))
		}
	}
	if id.VersionFrom == "" {
		id.VersionFrom = strings.Join(seen, "; ")
	}
	return id, nil
}

// versions reads texts of a column; of ProductVersion only the rows of the vendor, where the owner is told.
func (v *View) versions(ctx context.Context, table, key, column string) ([]string, error) {
	p, ok := v.probe(table, "t")
	if !ok {
		return nil, nil
	}
	var out []string
	for r, err := range v.rowsOf(ctx, p, "", []string{key}, column, "ownerName") {
		if err != nil {
			return nil, err
		}
		if owner := words(r[1]); owner != "" && !strings.EqualFold(owner, "SUPEROFFICE") {
			continue
		}
		if s := strings.TrimSpace(words(r[0])); s != "" {
			out = append(out, s)
		}
	}
	return out, nil
}

var versionForm = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)+\.?$`)

// release is the version that texts agree on in their first two numbers: the highest of them, without a point at its
// end. Texts that are not numbers with points say nothing; where the first two numbers differ no text is believed.
func release(texts []string) (string, bool) {
	var all [][]int
	for _, s := range texts {
		if n, ok := versionNumbers(s); ok {
			all = append(all, n)
		}
	}
	if len(all) == 0 {
		return "", false
	}
	for _, n := range all[1:] {
		if n[0] != all[0][0] || n[1] != all[0][1] {
			return "", false
		}
	}
	best := slices.MaxFunc(all, slices.Compare[[]int])
	words := make([]string, len(best))
	for i, n := range best {
		words[i] = strconv.Itoa(n)
	}
	return strings.Join(words, "."), true
}

func versionNumbers(s string) ([]int, bool) {
	if !versionForm.MatchString(s) {
		return nil, false
	}
	var out []int
	for w := range strings.SplitSeq(strings.TrimSuffix(s, "."), ".") {
		n, err := strconv.Atoi(w)
		if err != nil {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// distinct is the sorted set of texts.
func distinct(texts []string) []string {
	out := slices.Clone(texts)
	slices.SortFunc(out, cmp.Compare[string])
	return slices.Compact(out)
}
