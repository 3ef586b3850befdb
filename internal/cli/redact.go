package cli

import (
	"regexp"
	"strings"
	"sync"
)

// hidden stands where a secret was.
const hidden = "***"

// value matches what follows a key: quoted, in braces as ODBC writes it, or up to where a URL's or a connection string's
// value can end, less a colon or full stop that belongs to the sentence. A password may hold '&', so the rest of a URL
// goes with it: masked is more than the value, never less.
const value = `(?:"(?:[^"]|"")*"|'(?:[^']|'')*'|\{(?:[^}]|\}\})*\}|[^;,\s"']*[^;,\s"':.]|)`

var (
	// urlUser is the user part of a URL. The first form catches a password with characters that belong escaped.
	urlUser = regexp.MustCompile(`(?i)([a-z][a-z0-9+.\-]*://)(?:[^\s"'/?#@:]*:[^\s"']*@|[^\s"'/?#]*@)`)
	// pairs are secret values behind a key and an equals sign, in connection strings.
	pairs = regexp.MustCompile(`(?i)\b(password|passwd|pwd|pass|secret|client_?secret|secret_?(?:access_?)?key|account_?key|` +
		`shared_?access_?key|shared_?access_?signature|api_?key|access_?token|refresh_?token|token)(\s*=\s*)` + value)
	// query are parameters of signed URLs, which end at '&'.
	query = regexp.MustCompile(`(?i)\b(sig|signature|x-amz-signature|x-amz-credential|x-amz-security-token)(=|%3d)(?:[^&;,\s"']*[^&;,\s"':.]|)`)
	// fields are the same keys in JSON.
	fields = regexp.MustCompile(`(?i)(\\?"(?:password|pwd|secret|token|sig|sas|account_?key)\\?"\s*:\s*)\\?"[^"\\]*\\?"`)
	// bearer is a header of an HTTP request.
	bearer = regexp.MustCompile(`(?i)\b(authorization\s*:\s*|bearer\s+)(?:bearer\s+|basic\s+|sharedkey\s+)?[a-z0-9+/=_.:\-]{8,}`)
	// secretKey is the key of a log attribute whose value is never shown.
	secretKey = regexp.MustCompile(`(?i)password|passwd|pwd|secret|token|sas$|credential`)
)

// inArg is the password of a connection string on a command line, where it may hold anything up to the argument's end.
var inArg = regexp.MustCompile(`(?is)\b(password|pwd)(\s*=).*`)

// hideArgs joins arguments for the log. What follows a password in one of them is hidden to its end: unquoted, a password
// may hold what ends a value elsewhere.
func hideArgs(args []string) string {
	out := make([]string, len(args))
	for i, a := range args {
		out[i] = inArg.ReplaceAllString(a, "${1}${2}"+hidden)
	}
	return strings.Join(out, " ")
}

// Redact returns s with what looks like a secret replaced by ***: user info in URLs, signatures of SAS and of signed S3
// URLs, passwords and keys of connection strings, bearer tokens. It would rather hide too much than too little.
func Redact(s string) string {
	if !strings.ContainsAny(s, "=:%") && !strings.Contains(strings.ToLower(s), "bearer") {
		return s
	}
	s = urlUser.ReplaceAllStringFunc(s, func(m string) string {
		scheme, user, _ := strings.Cut(m, "://")
		if user == "LOGIN@" { // of a hint that says how a URL is written
			return m
		}
		return scheme + "://" + hidden + "@"
	})
	s = pairs.ReplaceAllString(s, "${1}${2}"+hidden)
	s = query.ReplaceAllString(s, "${1}${2}"+hidden)
	s = fields.ReplaceAllString(s, `${1}"`+hidden+`"`)
	return bearer.ReplaceAllString(s, "${1}"+hidden)
}

// redactor is Redact with the secrets of this run, which need not look like one.
type redactor struct {
	mu      sync.RWMutex
	secrets []string
}

func (r *redactor) hide(secret string) {
	if len(secret) < 4 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.secrets = append(r.secrets, secret)
}

func (r *redactor) redact(s string) string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, secret := range r.secrets {
		s = strings.ReplaceAll(s, secret, hidden)
	}
	return Redact(s)
}
