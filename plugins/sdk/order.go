package sdk

// span says where the records of a kind stand in a manifest: the kinds follow one another by rank. Parts of tables are
// chunks among the tables, other chunks stand among the files.
type span struct{ first, last int }

var spans = map[string]span{
	KindHeader: {0, 0}, KindInstallation: {2, 2}, KindMigrator: {3, 3}, KindPlan: {5, 5}, KindUser: {6, 6}, KindReview: {7, 7},
	KindAddress: {8, 8}, KindRemoval: {9, 9}, KindFact: {10, 10}, KindTable: {11, 11}, KindChunk: {11, 12}, KindFile: {12, 12},
	KindReceipt: {13, 13},
}
