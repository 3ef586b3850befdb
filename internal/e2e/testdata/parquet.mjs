// Runs queries in DuckDB: {"name": "SELECT …"} on standard input, {"name": [value, …]} of the first rows on standard
// output, all values as text. The module is looked for below the working directory's node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(join(process.cwd(), "x.js"));
const { DuckDBInstance } = require("@duckdb/node-api");
const queries = JSON.parse(readFileSync(0, "utf8"));
const db = await (await DuckDBInstance.create(":memory:")).connect();
const out = {};
for (const [name, sql] of Object.entries(queries)) {
  const rows = (await db.runAndReadAll(sql)).getRows();
  out[name] = rows[0].map((v) => (v === null ? null : String(v)));
}
process.stdout.write(JSON.stringify(out));
