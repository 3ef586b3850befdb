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
// Two rules tell of tables that cannot be seen, and they answer two questions. The tools' own rule table-missing is about
// rows: it has a finding for each table whose rows would not move, whoever names it (the model, the table of keys, the
// dictionary of older versions, an earlier manifest), or which refuses to be read; rights of the database login mend
// most of them. database-model is about the model: it has one finding, not one for each table, which says that the model is
// out of step, since the vendor's migration stops at such a model whatever becomes of the rows. So a table has one finding of
// its own, and a waiver of the one says nothing of the other. A missing table and one that the login may not see look the
// same; both rules say so.
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
