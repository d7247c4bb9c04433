// Renders the table of Liquid cases with liquidjs: a JSON list in, a JSON list of results out.
// The folder that holds node_modules is the first argument.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? ".", "package.json"));
const { Liquid } = require("liquidjs");
const results = JSON.parse(readFileSync(0, "utf8")).map((row) => {
  try {
    const engine = new Liquid({ templates: row.files ?? {}, timezoneOffset: row.zone ?? "UTC" });
    return { text: engine.parseAndRenderSync(row.template, row.data) };
  } catch (error) {
    return { error: error.message.split("\n")[0] };
  }
});
process.stdout.write(JSON.stringify(results));
