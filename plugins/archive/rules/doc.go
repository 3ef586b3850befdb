// Package rules are the preflight rules of plugin archive: one rule, or one family of rules, a file. They are written with
// the public SDK alone, as anybody's are.
//
// Ten million documents pass by; what is held is a few numbers for each author and the documents that a finding names.
// So that a report stays readable, a rule names up to 20 documents one by one; with more of them one finding counts them by
// author and says which file records have them all, and the first 20 are named behind it.
//
// The rules look at what the manifest says of a file, not at the disk. A document that was not looked for (state left with
// the reason area, in a part of an installation) counts for nothing.
package rules
