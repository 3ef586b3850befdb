// Package rules are the preflight rules of plugin crm: one rule, or one family of rules, a file. They are written with the
// public SDK alone, as anybody's are.
//
// # Before and after assigning
//
// A scan knows users, the plans they hold on site, and the addresses on their cards; omt-assign adds plans and user
// names. As long as nobody has a plan or a user name, the rules about users look at what assigning will start from: the
// addresses, and the plan whose name or on-site name equals the one held on site. From the first choice on they look at
// plans and user names alone, and whoever has no plan chosen is undecided. A plan that was not chosen counts for the seats
// and for the administrators as the one held on site does, before and after.
//
// # Which tables there are
//
// Two rules tell of tables that cannot be seen, and each table is one rule's: what the database model names is
// database-model's, since the model has to be put right and the vendor's tools stop at it. What only the table of keys,
// the dictionary of versions without a model, an earlier manifest or the tools themselves ask for, and what is there and
// refuses to be read, is told by the tools under table-missing. A missing table and one that the database login may not
// see look the same; both rules say so.
//
// # Subjects
//
// Findings name users (user:7), plans (plan:SalesPREM), tables (table:y_orders), rows of other tables by the table's
// lower-cased name and the row's id (traveller:1, userpreference:12), domains (domain:example.com), and what is said of the
// installation as a whole (installation:version, installation:licence).
//
// # Memory
//
// Users, plans and the few facts that a rule asks for are held; the rest passes by.
package rules
