// Package plugins has in its folders the SDK that preflight rules are written with (sdk), our own plugins (crm, archive),
// and examples. Here it is proved that our rules are those that the tools ask for, what they find in a whole installation,
// and that README.md lists them as they describe themselves:
//
//	go test ./plugins -update
//
// writes that list, and the findings that the tests expect, anew.
package plugins
