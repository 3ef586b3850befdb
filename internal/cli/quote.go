package cli

import "strings"

// Quote writes a word of a command line so that bash and PowerShell read it alike, for a line that a person is to type. A word
// that holds an apostrophe and what stands for something inside double quotes has no such form; it is written for bash.
func Quote(word string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:._-="
	switch {
	case word != "" && strings.Trim(word, plain) == "":
		return word
	case !strings.Contains(word, "'"):
		return "'" + word + "'"
	case !strings.ContainsAny(word, "\"$`\\!"):
		return `"` + word + `"`
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
