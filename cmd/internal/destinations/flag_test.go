package destinations

import (
	"testing"
	"time"
)

func TestExpires(t *testing.T) {
	for url, want := range map[string]string{
		"https://x.blob.core.windows.net/c?sv=1&se=2026-11-28T06:00:00Z&sig=abc": "2026-11-28T06:00:00Z",
		"https://x.blob.core.windows.net/c?se=2026-11-28T06:00Z&sig=abc":         "2026-11-28T06:00:00Z",
		"https://x.blob.core.windows.net/c?se=2026-11-28&sig=abc":                "2026-11-28T00:00:00Z",
		"https://x.blob.core.windows.net/c?si=policy&sig=abc":                    "",
		"https://x.blob.core.windows.net/c?se=2026-11-28":                        "",
		"s3://bucket?se=2026-11-28&sig=x":                                        "",
		"/srv/tenant":                                                            "",
	} {
		f := To(true)
		f.url = url
		got, ok := f.Expires()
		if ok != (want != "") || ok && got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v %v", url, got, ok)
		}
	}
}
