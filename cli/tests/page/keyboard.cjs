// The page in a phone's width, by keyboard alone: `node keyboard.cjs ADDRESS KEY`. Says what it saw, as JSON.
"use strict";
const { chromium } = require("playwright-core");
const [address, key] = process.argv.slice(2);

(async () => {
  const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox", "--disable-gpu"] });
  const page = await browser.newPage({ viewport: { width: 390, height: 844 } });
  const seen = { elsewhere: [], errors: [], views: {}, unseen: [] };
  page.on("request", (request) => {
    if (!request.url().startsWith(address) && !request.url().startsWith("data:")) seen.elsewhere.push(request.url());
  });
  page.on("pageerror", (error) => seen.errors.push(error.message));
  await page.goto(address);

  // It asks for a key; that is typed.
  await page.waitForSelector("dialog[open]");
  await page.keyboard.type(key);
  await page.keyboard.press("Enter");
  await page.waitForSelector("main article h2");

  const focused = () => page.evaluate(() => document.activeElement.textContent.trim() || document.activeElement.id);
  // Whoever goes by keyboard has to see where they are.
  const marked = () => page.evaluate(() => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
    return (outlineStyle !== "none" && outlineWidth !== "0px") || boxShadow !== "none";
  });
  const tabTo = async (name) => {
    for (let times = 0; times < 60; times++) {
      await page.keyboard.press("Tab");
      if (!(await marked())) seen.unseen.push(await focused());
      if ((await focused()) === name) return;
    }
    throw new Error(`no way by keyboard to ${name}`);
  };
  const look = async (view) => {
    seen.views[view] = {
      text: await page.innerText("main"),
      width: await page.evaluate(() => document.documentElement.scrollWidth),
      current: await page.innerText("nav [aria-current]"),
    };
  };

  await look("journeys");
  for (const [link, view] of [["Messages", "messages"], ["Dead letters", "dead"], ["Rejected calls", "rejects"], ["Person", "person"]]) {
    await page.evaluate(() => document.activeElement.blur());
    await page.reload();
    await page.waitForSelector("main > *");
    await tabTo(link);
    await page.keyboard.press("Enter");
    await page.waitForFunction((name) => document.querySelector("nav [aria-current]")?.textContent === name, link);
    await page.waitForFunction(() => document.querySelector("main")?.children.length > 0);
    await page.waitForTimeout(300);
    await look(view);
  }
  await tabTo("who");
  await page.keyboard.type("u1");
  await page.keyboard.press("Enter");
  await page.waitForSelector("main article");
  await look("u1");
  if (process.env.PICTURES) {
    await page.screenshot({ path: `${process.env.PICTURES}/person.png`, fullPage: true });
    await page.goto(`${address}/#journeys`);
    await page.waitForSelector("ol.graph");
    await page.screenshot({ path: `${process.env.PICTURES}/journeys.png`, fullPage: true });
  }
  await browser.close();
  console.log(JSON.stringify(seen));
})().catch((error) => {
  console.error(error);
  process.exit(1);
});
