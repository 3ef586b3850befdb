// Package ruletest runs a rule as a table, without a process:
//
//	got := ruletest.Run(t, short, &sdk.User{ID: 7, Login: "bo", Name: "Bo"})
//	if len(got) != 1 || got[0].Subjects[0] != "user:7" {
//		t.Errorf("got %v", got)
//	}
//
// The rule is checked as Serve would check it, is given the records of the kinds and facts that it reads, in the order of a
// manifest whatever the order they are given in, and every finding is looked at: its message must be one line and its
// subjects must have the form word:name. [Rows] and [Absent] stand for what the database answered to a query, and [Now]
// sets the time of the run.
package ruletest
