package source

import "testing"

func TestRelease(t *testing.T) {
	for _, c := range []struct {
		texts []string
		want  string
		ok    bool
	}{
		{nil, "", false},
		{[]string{"8.5.7458."}, "8.5.7458", true},
		{[]string{"8.5.7458", "8.5.7300"}, "8.5.7458", true},
		{[]string{"8.5", "8.5.1"}, "8.5.1", true},
		{[]string{"8.5.9", "8.5.10"}, "8.5.10", true},
		{[]string{"8.5.1", "unknown", ""}, "8.5.1", true},
		{[]string{"8.5.1", "8.4.1"}, "", false},
		{[]string{"8.5.1", "10.5.1"}, "", false},
		{[]string{"85"}, "", false},
		{[]string{"v8.5"}, "", false},
		{[]string{"8.5 R09"}, "", false},
		{[]string{"8..5"}, "", false},
		{[]string{"8.99999999999999999999"}, "", false},
	} {
		if got, ok := release(c.texts); got != c.want || ok != c.ok {
			t.Errorf("release(%q) = %q, %v; want %q, %v", c.texts, got, ok, c.want, c.ok)
		}
	}
}

func TestWithLogin(t *testing.T) {
	for _, c := range []struct {
		emails []string
		login  string
		want   int
	}{
		{nil, "", 0}, {nil, "KK", 0}, {nil, "kk@example.com", 1}, {[]string{"KK@Example.com"}, " kk@example.com ", 1},
		{[]string{"a@example.com"}, "kk@example.com", 2},
	} {
		if got := withLogin(c.emails, c.login); len(got) != c.want {
			t.Errorf("withLogin(%q, %q) = %q", c.emails, c.login, got)
		}
	}
	shared := make([]string, 1, 5)
	shared[0] = "a@example.com"
	one, two := withLogin(shared, "x@example.com"), withLogin(shared, "y@example.com")
	if one[1] != "x@example.com" || two[1] != "y@example.com" {
		t.Errorf("two associates of one person share an array: %q, %q", one, two)
	}
}
