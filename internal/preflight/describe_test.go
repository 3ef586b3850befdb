package preflight

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/openomt/omt/internal/manifest"
	pb "github.com/openomt/omt/plugins/sdk/proto"
)

func TestWhatAPluginMayCallItself(t *testing.T) {
	many := make([]*pb.Rule, maxRules+1)
	for _, tt := range []struct {
		says *pb.DescribeResponse
		want string
	}{
		{&pb.DescribeResponse{Name: "crm-2", Version: "0.1.0+x"}, ""},
		{&pb.DescribeResponse{Name: "CRM", Version: "1"}, `it calls itself "CRM"; a name has a-z, 0-9 and -, and is not "omt"`},
		{&pb.DescribeResponse{Name: "omt", Version: "1"}, `it calls itself "omt"; a name has a-z, 0-9 and -, and is not "omt"`},
		{&pb.DescribeResponse{Name: "", Version: "1"}, `it calls itself ""; a name has a-z, 0-9 and -, and is not "omt"`},
		{&pb.DescribeResponse{Name: strings.Repeat("a", 65), Version: "1"}, `it calls itself "` + strings.Repeat("a", 64) + `"; a name has a-z, 0-9 and -, and is not "omt"`},
		{&pb.DescribeResponse{Name: "a", Version: ""}, `its version is ""; it must be one word`},
		{&pb.DescribeResponse{Name: "a", Version: "1 2"}, `its version is "1 2"; it must be one word`},
		{&pb.DescribeResponse{Name: "a", Version: "1\x1b[m"}, `its version is "1[m"; it must be one word`},
		{&pb.DescribeResponse{Name: "taken", Version: "1"}, `it calls itself "taken", as "file" does`},
		{&pb.DescribeResponse{Name: "failed", Version: "1"}, ""},
		{&pb.DescribeResponse{Name: "a", Version: "1", Rules: many}, "it has 1001 rules; at most 1000 are taken"},
	} {
		earlier := []Plugin{{File: "file", Name: "taken"}, {File: "other", Name: "failed", Err: errors.New("x")}}
		err := identify(&Plugin{}, tt.says, earlier)
		if got := text(err); got != tt.want {
			t.Errorf("%q: %s", tt.says.Name, got)
		}
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestWhatARuleMaySay(t *testing.T) {
	query := func(q *pb.Query) *pb.Rule {
		return &pb.Rule{Id: "r", Severity: pb.Severity_SEVERITY_INFO, Queries: []*pb.Query{q}}
	}
	for _, tt := range []struct {
		name string
		rule *pb.Rule
		want string
	}{
		{"plain", &pb.Rule{Id: "r-1", Severity: pb.Severity_SEVERITY_INFO, Reads: []string{"file", "user"}, Facts: []string{"x"}}, ""},
		{"capitals", &pb.Rule{Id: "R", Severity: pb.Severity_SEVERITY_INFO}, "its id is not made of a-z, 0-9 and -"},
		{"no id", &pb.Rule{Severity: pb.Severity_SEVERITY_INFO}, "its id is not made of a-z, 0-9 and -"},
		{"no severity", &pb.Rule{Id: "r"}, "it names no severity that is known"},
		{"new severity", &pb.Rule{Id: "r", Severity: 9}, "it names no severity that is known"},
		{"taken", &pb.Rule{Id: "taken", Severity: pb.Severity_SEVERITY_INFO}, `plugin "f" has a rule of this id already`},
		{"kind", &pb.Rule{Id: "r", Severity: pb.Severity_SEVERITY_INFO, Reads: []string{"waiver"}}, `it reads records of kind "waiver", which is not known here`},
		{"all facts", &pb.Rule{Id: "r", Severity: pb.Severity_SEVERITY_INFO, Reads: []string{"fact"}}, "it reads all facts; facts are read by name"},
		{"query", query(&pb.Query{Name: "q", MaxRows: 100_000, TimeoutMs: 300_000}), ""},
		{"query name", query(&pb.Query{Name: "a.b"}), `the name of its query "a.b" is not made of a-z, 0-9 and -, or it has two of that name`},
		{"rows", query(&pb.Query{Name: "q", MaxRows: 100_001}), "its query q wants 100001 rows and 0s; at most 100000 rows and 5m0s are given"},
		{"negative", query(&pb.Query{Name: "q", MaxRows: -1}), "its query q wants -1 rows and 0s; at most 100000 rows and 5m0s are given"},
		{"time", query(&pb.Query{Name: "q", TimeoutMs: 300_001}), "its query q wants 0 rows and 5m0.001s; at most 100000 rows and 5m0s are given"},
		{"sql", query(&pb.Query{Name: "q", Sql: strings.Repeat(" ", 70_000)}), "its query q has 70000 bytes; at most 65536 are taken"},
		{"refused", query(&pb.Query{Name: "q", Sql: "DROP"}), "its query q cannot be asked: no SELECT"},
		{"two", &pb.Rule{Id: "r", Severity: pb.Severity_SEVERITY_INFO, Queries: []*pb.Query{{Name: "q"}, {Name: "q"}}},
			`the name of its query "q" is not made of a-z, 0-9 and -, or it has two of that name`},
		{"nothing at all", nil, "its id is not made of a-z, 0-9 and -"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := holders{by: map[string]string{"taken": "f"}}
			r := h.take(&Plugin{File: "p", Name: "p", Version: "1"}, tt.rule, func(sql string) error {
				if sql == "DROP" {
					return errors.New("no SELECT")
				}
				return nil
			})
			if got := text(r.Err); got != tt.want {
				t.Errorf("error %s", got)
			}
		})
	}
}

func TestTextsOfRules(t *testing.T) {
	h := holders{by: map[string]string{}}
	r := h.take(&Plugin{Name: "p", Version: "1"}, &pb.Rule{Id: "r", Title: "a\ntitle", Help: "one \r\ntwo\x07\n\n", Severity: pb.Severity_SEVERITY_ERROR,
		Evidence: "inferred", Final: "the\tlaw"}, nil)
	want := Rule{ID: "r", Title: "a title", Help: "one\ntwo", Evidence: "inferred", Final: "the law", Severity: manifest.SeverityError, Plugin: "p 1"}
	if d := cmp.Diff(want, r, cmp.AllowUnexported(Rule{})); d != "" {
		t.Error(d)
	}
	if got := help(strings.Repeat("å", maxHelp)); len(got) > maxHelp || strings.Contains(got, "\ufffd") {
		t.Errorf("%d bytes", len(got))
	}
}
