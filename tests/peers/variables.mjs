// The variables of templates by liquidjs' analysis: a JSON list of [path, text] in, for each a list of
// [name, line, column] out. The folder that holds node_modules is the first argument.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const require = createRequire(resolve(process.argv[2] ?? ".", "package.json"));
const { Liquid } = require("liquidjs");
const engine = new Liquid();
const results = JSON.parse(readFileSync(0, "utf8")).map(([path, text]) => {
  try {
    const found = engine.analyzeSync(engine.parse(text, path), { partials: false });
    const places = [];
    for (const variables of Object.values(found.variables)) {
      for (const variable of variables) {
        places.push([String(variable.segments[0]), variable.location.row, variable.location.col]);
      }
    }
    return { variables: places };
  } catch (error) {
    return { error: error.message.split("\n")[0] };
  }
});
process.stdout.write(JSON.stringify(results));
