#!/usr/bin/env node
// A channel in JavaScript: `command = ["node", "deliver.mjs", "sent.txt"]`.
//
// Reads a message a line, answers an outcome a line. This one "sends" by writing to a file; put the call of your
// provider in its place.
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";

const sent = new Set();

for await (const line of createInterface({ input: process.stdin })) {
  const message = JSON.parse(line);
  const answer = { key: message.key };
  if (message.to === undefined) {
    Object.assign(answer, { outcome: "rejected", reason: "there is no number" });
  } else {
    // The same message may come again, after a crash or a timeout: its key tells.
    if (!sent.has(message.key)) {
      appendFileSync(process.argv[2], `${message.to}: ${message.content.text}\n`);
      sent.add(message.key);
    }
    answer.outcome = "accepted";
  }
  console.log(JSON.stringify(answer));
}
