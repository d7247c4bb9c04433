// Verifies a JWT with Node's own cryptography: the private key in PEM as argument (its public half is derived), the
// token on standard input. Writes its header and claims.
import { createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
const key = createPublicKey(process.argv[2]);
const [header, claims, signature] = readFileSync(0, "utf8").trim().split(".");
const data = Buffer.from(header + "." + claims);
const parsed = (part) => JSON.parse(Buffer.from(part, "base64url"));
const ok = verify("sha256", data, { key, dsaEncoding: "ieee-p1363" }, Buffer.from(signature, "base64url"));
console.log(JSON.stringify({ ok, header: parsed(header), claims: parsed(claims) }));
