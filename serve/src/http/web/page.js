// What the server knows, shown. Nothing is taken from anywhere else, and no text becomes markup.
"use strict";

const main = document.getElementById("main");
const state = document.getElementById("state");
const ask = document.getElementById("ask");
let key = sessionStorage.getItem("key");
let turn = 0;

/** An element with attributes and what stands in it; texts are texts. */
function el(name, attributes, ...inside) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes ?? {})) made.setAttribute(attribute, value);
  made.append(...inside.flat().filter((one) => one !== null && one !== undefined));
  return made;
}

async function call(path, body) {
  const headers = key ? { authorization: `Bearer ${key}` } : {};
  const options = body ? { method: "POST", body: JSON.stringify(body), headers } : { headers };
  const answer = await fetch(path, options);
  if (answer.status === 401) {
    await needsKey();
    return call(path, body);
  }
  if (!answer.ok) throw new Error(await answer.text());
  return body ? answer.text() : answer.json();
}

function needsKey() {
  return new Promise((resolve) => {
    if (!ask.open) ask.showModal();
    ask.onclose = () => {
      key = document.getElementById("key").value;
      sessionStorage.setItem("key", key);
      resolve();
    };
  });
}

const numbers = (pairs) =>
  el("dl", { class: "numbers" }, pairs.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));

function table(caption, heads, rows) {
  if (rows.length === 0) return el("p", {}, `No ${caption.toLowerCase()}.`);
  const cells = (row) => row.map((value, at) => el("td", { "data-name": heads[at] }, value));
  return el("div", { class: "wide" },
    el("table", { "aria-label": caption },
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))),
      el("tbody", {}, rows.map((row) => el("tr", {}, cells(row))))));
}

const views = {
  async journeys() {
    const shown = await call("/operate/journeys");
    head(shown);
    return shown.journeys.map(journey);
  },
  async messages() {
    const { waiting, recent } = await call("/operate/messages");
    const heads = ["Time", "Person", "Journey", "By", "To", "Says", "State"];
    const row = (message) => [message.time, person(message.user), message.journey, message.channel, message.to ?? "",
      says(message.content), message.accepted ? "taken" : message.failed ? `tried ${message.failed} times: ${message.reason}` : "waits"];
    return [el("h2", {}, "Waiting"), table("Messages that wait", heads, waiting.map(row)),
      el("h2", {}, "Latest"), table("Messages that were taken", heads, recent.map(row))];
  },
  async person(id) {
    const input = el("input", { id: "who", name: "who", value: id ?? "", autocomplete: "off", required: "" });
    const form = el("form", { class: "line" }, el("label", { for: "who" }, "Id of the person", input), el("button", {}, "Show"));
    form.onsubmit = (event) => {
      event.preventDefault();
      location.hash = `person/${encodeURIComponent(input.value)}`;
    };
    if (!id) return [form];
    const shown = await call(`/operate/person?id=${encodeURIComponent(id)}`);
    if (!shown) return [form, el("p", {}, "Nobody is known by this id.")];
    const told = await call(`/operate/timeline?id=${encodeURIComponent(id)}`);
    const happened = (one) => [one.time, one.what, one.journey ?? "", one.place ? el("code", {}, one.place) : ""];
    const heads = ["Time", "Journey", "By", "Says", "State"];
    const row = (message) => [message.time, message.journey, message.channel, says(message.content), message.state];
    return [form,
      el("article", {}, el("h2", {}, shown.id), numbers(Object.entries(shown.attributes))),
      el("article", {}, el("h2", {}, "On the way in"), shown.journeys.length ? el("p", {}, shown.journeys.join(", ")) : el("p", {}, "No journey.")),
      el("article", {}, el("h2", {}, "Messages of late"), table("Messages", heads, shown.messages.map(row))),
      el("article", {}, el("h2", {}, "What happened, and why"),
        table("Happenings", ["Time", "What", "Journey", "Where it says so"], told.happenings.reverse().map(happened)),
        told.since ? el("p", { class: "since" }, `What was before ${told.since} is not kept here: the journal reaches back to the older of two snapshots.`) : null)];
  },
  async dead() {
    const dead = await call("/operate/dead");
    const again = (id) => {
      const button = el("button", { type: "button" }, "Try again");
      button.onclick = async () => {
        button.disabled = true;
        await call("/operate/retry", { id });
        show();
      };
      return button;
    };
    const row = (message) => [message.time, person(message.user), message.journey, message.channel, message.reason, again(message.id)];
    return [table("Dead letters", ["Time", "Person", "Journey", "By", "Reason", ""], dead.map(row))];
  },
  async rejects() {
    const rejects = await call("/operate/rejects");
    const row = (reject) => [reject.received, reject.reason, el("pre", {}, reject.input)];
    return [table("Rejected calls", ["Received", "Reason", "Call"], rejects.map(row))];
  },
};

const person = (id) => el("a", { href: `#person/${encodeURIComponent(id)}` }, id);
const says = (content) => (content ? content.subject ?? content.title ?? content.text ?? content.body ?? content.html ?? "" : "");

function head(shown) {
  document.getElementById("project").textContent = shown.project;
  document.title = `${shown.project} – Flow`;
  const paused = shown.paused.length ? `, paused: ${shown.paused.join(", ")}` : "";
  state.textContent = shown.ready
    ? `${shown.people} people, ${shown.waiting} messages wait, ${shown.dead} dead letters${paused}`
    : "The journal cannot be written: nothing is taken.";
  state.className = shown.ready && !paused ? "" : "bad";
}

function journey(shown) {
  const label = new Map(shown.nodes.map((node) => [node.step, node.label]));
  const id = (step) => `${shown.name}-${step}`;
  const list = shown.nodes.map((node, at) => {
    const follows = shown.nodes[at + 1]?.step;
    const ways = shown.ways.filter((way) => way.from === node.step && (way.why || way.to !== follows));
    const where = (way) => way.to === null ? "the end" : el("a", { href: `#${id(way.to)}`, "data-jump": "" }, label.get(way.to) ?? "");
    const skips = Object.entries(node.skipped).map(([reason, count]) => `${count} ${reason.replaceAll("_", " ")}`).join(", ");
    return el("li", { id: id(node.step), class: node.send ? "send" : "", tabindex: "-1" },
      el("div", { class: "step" }, el("code", {}, node.label), el("span", { class: "counts" }, node.send ? `${node.sent} sent` : node.reached ? `${node.reached} waited here` : "")),
      skips ? el("div", { class: "skips" }, `not sent: ${skips}`) : null,
      ways.length ? el("div", { class: "ways" }, ways.flatMap((way) => [`${way.why || "then"} → `, where(way), "  "])) : null);
  });
  return el("article", {},
    el("h2", {}, shown.name),
    numbers([["entered", shown.entered], ["on the way", shown.in_flight], ["converted", shown.converted], ["at the end", shown.finished], ["left early", shown.left]]),
    el("ol", { class: "graph", "aria-label": `Steps of ${shown.name}` }, list));
}

async function show() {
  const mine = ++turn;
  const [name, rest] = location.hash.slice(1).split("/", 2);
  const view = views[name] ? name : "journeys";
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  try {
    const made = await views[view](rest ? decodeURIComponent(rest) : undefined);
    if (mine === turn) main.replaceChildren(...made);
  } catch (error) {
    state.textContent = `The server does not answer: ${error.message}`;
    state.className = "bad";
  }
}

// A step that is pointed at is shown and nothing else changes.
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("[data-jump]");
  if (!link) return;
  event.preventDefault();
  const step = document.getElementById(link.hash.slice(1));
  step?.scrollIntoView({ block: "center" });
  step?.focus();
});
window.addEventListener("hashchange", show);
setInterval(() => {
  // Whoever types or reads a table is left alone.
  const still = !document.hidden && (location.hash === "" || location.hash === "#journeys") && !main.contains(document.activeElement);
  if (still) show();
}, 3000);
show();
