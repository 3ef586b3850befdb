package cli

import (
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"
)

func TestRedact(t *testing.T) {
	tests := []struct{ in, want string }{
		{"", ""},
		{"item \"a1\": 403 AuthorizationFailure", "item \"a1\": 403 AuthorizationFailure"},
		{"rows=12 of 30: C:\\CS\\att", "rows=12 of 30: C:\\CS\\att"},
		{"https://acct.blob.core.windows.net/c?sv=2024&se=2026-01-01&sr=c&sp=rcw&sig=Ab%2Bc%3D", "https://acct.blob.core.windows.net/c?sv=2024&se=2026-01-01&sr=c&sp=rcw&sig=***"},
		{"?SIG=abc&sv=1", "?SIG=***&sv=1"},
		{"sig%3Dabc%26sv", "sig%3D***"},
		{"design=blue", "design=blue"},
		{`opening "sqlserver://sa:p%40ss@host:1433?database=crm": no`, `opening "sqlserver://***@host:1433?database=crm": no`},
		{"sqlserver://sa:p@ss/w#rd@host", "sqlserver://***@host"},
		{"sqlserver://host:1433?database=crm&password=x&app=y", "sqlserver://host:1433?database=crm&password=***"},
		{"https://user@host/path", "https://***@host/path"},
		{"write sqlserver://LOGIN@HOST:PORT?database=NAME", "write sqlserver://LOGIN@HOST:PORT?database=NAME"},
		{"sqlserver://LOGIN:x@HOST", "sqlserver://***@HOST"},
		{`Server=a;Password="x;""y";Database=crm`, `Server=a;Password=***;Database=crm`},
		{`PWD='x''y';UID=u`, `PWD=***;UID=u`},
		{"Server=h;User Id=sa;Password=a&b c;Database=crm", "Server=h;User Id=sa;Password=*** c;Database=crm"},
		{`Pwd="a;b";Server=h`, `Pwd=***;Server=h`},
		{"PWD={a;b}}c};Server=h", "PWD=***;Server=h"},
		{"using sig=abc: no. password=x.", "using sig=***: no. password=***."},
		{"password = secret", "password = ***"},
		{"AccountName=a;AccountKey=Zm9v==;EndpointSuffix=x", "AccountName=a;AccountKey=***;EndpointSuffix=x"},
		{"SharedAccessSignature=sv=1&sig=abc;BlobEndpoint=x", "SharedAccessSignature=***;BlobEndpoint=x"},
		{"X-Amz-Credential=AK/2026&X-Amz-Signature=ff&x=1", "X-Amz-Credential=***&X-Amz-Signature=***&x=1"},
		{`{"password":"a b","user":"x"}`, `{"password":"***","user":"x"}`},
		{"Authorization: Bearer eyJhbGciOi.J9", "Authorization: ***"},
		{"sent Bearer eyJhbGciOiJIUzI1NiJ9", "sent Bearer ***"},
		{"--db sqlserver://sa:pw@h --in x", "--db sqlserver://***@h --in x"},
	}
	for _, tt := range tests {
		if got := Redact(tt.in); got != tt.want {
			t.Errorf("Redact(%q)\n got %q\nwant %q", tt.in, got, tt.want)
		}
		if once, twice := Redact(tt.in), Redact(Redact(tt.in)); once != twice {
			t.Errorf("redacting %q again gives %q", once, twice)
		}
	}
}

// Whatever a secret is made of, none of the places it is written in lets it through.
func TestRedactProperty(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const alphabet = "abcXYZ019!#$%&()*+-./:=?@[]^_~"
	for range 500 {
		var b strings.Builder
		for range 6 + random.IntN(20) {
			b.WriteByte(alphabet[random.IntN(len(alphabet))])
		}
		secret := "S3" + b.String() + "9z"
		escaped := url.UserPassword("sa", secret).String()
		for _, text := range []string{
			"connecting to sqlserver://" + escaped + "@host:1433?database=crm failed",
			"sqlserver://sa:" + secret + "@host",
			"Server=h;Password=" + secret + ";Database=crm",
			"https://a.example/c?sv=1&sig=" + url.QueryEscape(secret) + "&se=2",
			`pwd="` + secret + `"`,
		} {
			got := Redact(text)
			for _, form := range []string{secret, url.QueryEscape(secret), strings.TrimPrefix(escaped, "sa:")} {
				for i := range len(form) - 5 {
					if strings.Contains(got, form[i:i+6]) {
						t.Fatalf("%q still holds %q: %q", text, form[i:i+6], got)
					}
				}
			}
		}
	}
}

func TestHiddenSecrets(t *testing.T) {
	var r redactor
	r.hide("hunter22")
	r.hide("")
	r.hide("abc")
	if got := r.redact("login hunter22 of abc: hunter22"); got != "login *** of abc: ***" {
		t.Errorf("got %q", got)
	}
}

func FuzzRedact(f *testing.F) {
	f.Add("password=x sig=1 https://a:b@c")
	f.Add(`"sas":"x`)
	f.Fuzz(func(t *testing.T, s string) {
		got := Redact("head " + s + " tail")
		if !strings.HasPrefix(got, "head ") {
			t.Errorf("%q became %q", s, got)
		}
	})
}

func TestHideArgs(t *testing.T) {
	got := hideArgs([]string{"--db", "Server=a;Password=x y,z;w=1;Database=crm", "--db=Driver={SQL Server};PWD={a}}b}", "--root", "document=/a"})
	if want := "--db Server=a;Password=*** --db=Driver={SQL Server};PWD=*** --root document=/a"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
