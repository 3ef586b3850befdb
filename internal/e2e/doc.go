// Package e2e tests the four commands as they are used: built, started as processes, piped into each other, killed,
// given damaged and strange input; and what they leave is read by programs that know nothing of this project (tar, zstd,
// Python, sqlite3, DuckDB). It holds tests alone.
//
// # What is shared
//
// TestMain builds the commands once. One small sample installation is scanned, assigned, packed, pushed, verified and
// unpacked once, when the first test asks for it (base), and is only read from then on; a test that changes anything
// works on a copy. Every process has its own folder for temporary files and logs, which must be empty of all but logs
// when it has ended well.
//
// # Choices by environment
//
//	OMT_TEST_KILLS=200     how often TestKill kills a process or a pipe; 12 when it is not set
//	OMT_TEST_SEED=7        the seed of what is random; without it the seed is taken from the clock, and printed
//	OMT_TEST_FLIPS=400     how many bytes TestFlips flips; 60 when it is not set
//	OMT_TEST_LONG=1        tests that wait for a time limit of the product
//	OMT_TEST_DUCKDB=DIR    where npm has installed @duckdb/node-api (DIR/node_modules)
//
// A test whose program is not on the machine says so and is skipped.
//
// # What is not covered
//
// The secrets of a database are its own: tables are moved as they are, so a password that stands in a column stands in
// the Parquet part of that table, which whoever holds the destination can read. TestSecrets looks everywhere else.
package e2e
