// Segment's SDK for Node, as a site would use it: node segment.cjs ADDRESS KEY COUNT
const { Analytics } = require("@segment/analytics-node");
const [address, writeKey, count] = process.argv.slice(2);
const analytics = new Analytics({ writeKey, host: address, path: "/v1/batch", flushAt: 7 });
analytics.on("error", (error) => { console.error(error); process.exitCode = 1; });
analytics.identify({ userId: "node-segment", traits: { email: "node-segment@shop.example" } });
for (let number = 0; number < Number(count); number++) {
  analytics.track({ userId: "node-segment", event: "login", properties: { number, from: "node-segment" } });
}
analytics.closeAndFlush({ timeout: 60000 });
