package sdk

// Plugin is a set of rules in one executable.
type Plugin struct {
	Name    string // a-z, 0-9 and -
	Version string // empty: that of the module the executable was built from
	Rules   []Rule
}
