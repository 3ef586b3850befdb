// Runs one query in DuckDB and prints every row as a line of JSON: all values as text, NULL as null.
// Usage: node duckdb.mjs MODULES QUERY
import { createRequire } from "node:module";
const [modules, query] = process.argv.slice(2);
const { DuckDBInstance } = createRequire(modules + "/").call(null, "@duckdb/node-api");
const connection = await (await DuckDBInstance.create(":memory:")).connect();
await connection.run("SET TimeZone = 'UTC'");
const reader = await connection.runAndReadAll(query);
for (const row of reader.getRows()) {
  console.log(JSON.stringify(row.map((v) => (v === null ? null : String(v)))));
}
