// Package sqlurl is what a sqlserver:// URL may say: the names of its parameters, which of them are recorded, and which
// would be a mistake. It opens nothing. Package install reads URLs with it that people give, and package source/mssql
// those that it connects with.
//
// No error of it holds a value, and none names a parameter that may be the rest of a password: one whose & was not escaped.
package sqlurl
