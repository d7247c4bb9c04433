// Apple's push service, as its documentation has it: HTTP/2 alone, an answer for each of a few device tokens. Writes
// its port, then each request.
import { createServer } from "node:http2";
const answers = {
  aa: [200, null], bb: [410, { reason: "Unregistered", timestamp: 1772452800000 }], cc: [400, { reason: "BadDeviceToken" }],
  dd: [429, { reason: "TooManyRequests" }], ee: [403, { reason: "ExpiredProviderToken" }],
  ff: [413, { reason: "PayloadTooLarge" }], 55: [503, { reason: "ServiceUnavailable" }],
};
const server = createServer();
server.on("stream", (stream, headers) => {
  let body = "";
  stream.on("data", (chunk) => (body += chunk));
  stream.on("end", () => {
    console.log(JSON.stringify({ headers, body: JSON.parse(body) }));
    const [status, answer] = answers[headers[":path"].split("/").pop().slice(0, 2)];
    stream.respond({ ":status": status, "apns-id": "EC1BF194-B3B2-424A-89A9-5A918A6E6B5D" });
    stream.end(answer ? JSON.stringify(answer) : undefined);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
