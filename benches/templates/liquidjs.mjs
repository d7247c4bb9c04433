// The same templates and values with liquidjs: one line of JSON for each case.
// node liquidjs.mjs FOLDER SECONDS < data, where FOLDER holds node_modules.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(resolve(process.argv[2] ?? ".", "package.json"));
const { Liquid } = require("liquidjs");
const here = dirname(fileURLToPath(import.meta.url));
const seconds = Number(process.argv[3] ?? 1);
for (const { case: name, data } of JSON.parse(readFileSync(0, "utf8"))) {
  const source = readFileSync(resolve(here, "templates", `${name}.liquid`), "utf8");
  const engine = new Liquid();
  const template = engine.parse(source);
  const text = engine.renderSync(template, data);
  let best = Infinity;
  for (let stretch = 0; stretch < 10; stretch++) {
    const start = process.hrtime.bigint();
    const end = start + BigInt(Math.round(seconds * 1e8));
    let rounds = 0;
    while (process.hrtime.bigint() < end) {
      for (let i = 0; i < 16; i++) engine.renderSync(template, data);
      rounds += 16;
    }
    best = Math.min(best, Number(process.hrtime.bigint() - start) / rounds);
  }
  console.log(JSON.stringify({ case: name, engine: "liquidjs", ns: Math.round(best), bytes: Buffer.byteLength(text), text }));
}
