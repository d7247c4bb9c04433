// RudderStack's SDK for Node: node rudder.cjs ADDRESS KEY COUNT
const RudderAnalytics = require("@rudderstack/rudder-sdk-node");
const [address, writeKey, count] = process.argv.slice(2);
const analytics = new RudderAnalytics(writeKey, { dataPlaneUrl: address, flushAt: 7 });
const failed = (error) => { if (error) { console.error(error); process.exitCode = 1; } };
analytics.identify({ userId: "node-rudder", traits: { email: "node-rudder@shop.example" } }, failed);
for (let number = 0; number < Number(count); number++) {
  analytics.track({ userId: "node-rudder", event: "login", properties: { number, from: "node-rudder" } }, failed);
}
analytics.flush(failed);
