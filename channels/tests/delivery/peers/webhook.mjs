// Verifies a webhook with the library of Standard Webhooks: the secret as argument, {headers, body} on standard input.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const { Webhook } = createRequire(process.env.FLOW_PEERS + "/")("standardwebhooks");
const { headers, body } = JSON.parse(readFileSync(0, "utf8"));
try {
  new Webhook(process.argv[2]).verify(body, headers);
  console.log("valid");
} catch (error) {
  console.log(error.constructor.name.includes("Verification") ? "invalid" : String(error));
}
