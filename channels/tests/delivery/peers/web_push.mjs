// npm's web-push-testing as a push service. Writes its port, then answers commands on standard input: a JSON value a
// line, {path, body}, with what the service says to a POST there.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { createServer } from "node:net";
const require = createRequire(process.env.FLOW_PEERS + "/");
const port = await new Promise((give) => {
  const probe = createServer().listen(0, () => { const { port } = probe.address(); probe.close(() => give(port)); });
});
const log = console.log;
console.log = () => {};
const PushApiModel = require("web-push-testing/src/PushApiModel.js");
const Server = require("web-push-testing/src/server.js");
new Server(new (PushApiModel.PushApiModel ?? PushApiModel)(), port).startServer();
log(port);
createInterface({ input: process.stdin }).on("line", async (line) => {
  const { path, body } = JSON.parse(line);
  const answer = await fetch(`http://localhost:${port}${path}`, {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body),
  });
  log(JSON.stringify({ status: answer.status, body: await answer.json().catch(() => null) }));
});
