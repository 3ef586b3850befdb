package sdk

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	contract "github.com/openomt/omt/plugins/sdk/proto"
)

func TestDescribe(t *testing.T) {
	p := valid()
	r := &p.Rules[0]
	p.Version, r.Evidence, r.Final = "1.2.3", "inferred: x", "it is lost"
	r.Queries[0].MaxRows, r.Queries[0].Timeout = 20, 1500*time.Millisecond
	p.Rules = append(p.Rules, *r, *r)
	p.Rules[1].ID, p.Rules[1].Severity = "second", Warning
	p.Rules[2].ID, p.Rules[2].Severity = "third", Error
	got, err := connect(t, p).Describe(t.Context(), &contract.DescribeRequest{Host: "omt-scan 9"})
	if err != nil {
		t.Fatal(err)
	}
	if got.GetRules()[1].GetSeverity() != contract.Severity_SEVERITY_WARNING ||
		got.GetRules()[2].GetSeverity() != contract.Severity_SEVERITY_ERROR {
		t.Errorf("got %v", got)
	}
	got.Rules = got.Rules[:1]
	want := &contract.DescribeResponse{}
	if err := prototext.Unmarshal([]byte(`name:"my-plugin" version:"1.2.3" sdk:"go 1" rules:{id:"my-rule" title:"one line"
		help:"Some\nlines." severity:SEVERITY_INFO evidence:"inferred: x" final:"it is lost" reads:"user" facts:"drive"
		queries:{name:"rows" sql:"SELECT 1" max_rows:20 timeout_ms:1500}}`), want); err != nil {
		t.Fatal(err)
	}
	if !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestVersion: without one of its own, a plugin has that of its module.
func TestVersion(t *testing.T) {
	if got := valid().version(); got == "" || strings.ContainsAny(got, "\r\n") {
		t.Errorf("got %q", got)
	}
}
