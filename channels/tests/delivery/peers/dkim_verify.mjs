// Verifies a mail's DKIM signature with npm's mailauth: the public key's record as argument, the mail on standard
// input. Writes the result and the headers that the signature covers.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const { dkimVerify } = createRequire(process.env.FLOW_PEERS + "/")("mailauth/lib/dkim/verify.js");
const resolver = async () => [[process.argv[2]]];
const { results } = await dkimVerify(readFileSync(0), { resolver });
console.log(JSON.stringify({ result: results[0].status.result, headers: results[0].signingHeaders.keys }));
