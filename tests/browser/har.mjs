// Looks at a recording as other programs do, and prints what they say as JSON:
//   node tests/browser/har.mjs CHROMIUM FILE.har [PICTURES]
// har-validator checks it against the schema of HAR 1.2, and the developer tools of Chromium show it
// in their network panel. PICTURES is a folder for a screenshot. har_browser_spec checks that.
import { chromium } from "playwright-core";
import { readFileSync } from "node:fs";
import { har as validate } from "har-validator/lib/promise.js";

const [executablePath, file, pictures] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
const seen = { schema: [], problems: [], rows: [] };

await validate(JSON.parse(text)).catch((refused) => {
  seen.schema = (refused.errors || [refused]).map((one) => `${one.dataPath || ""} ${one.message}`);
});

const browser = await chromium.launch({
  executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
page.setDefaultTimeout(20000);
page.on("pageerror", (error) => seen.problems.push(error.message));
await page.goto("devtools://devtools/bundled/devtools_app.html");

// Opens the network panel. The parts of the developer tools may be elsewhere in another Chromium.
const open = () => page.evaluate(async () => {
  try {
    const from = (path) => import("devtools://devtools/bundled/" + path);
    const legacy = await from("ui/legacy/legacy.js");
    await legacy.ViewManager.ViewManager.instance().showView("network");
    const network = await from("panels/network/network.js");
    window.panel = network.NetworkPanel.NetworkPanel.instance().networkLogView;
    return window.panel.onLoadFromFile ? null : "the network panel loads no files";
  } catch (error) {
    return String(error);
  }
});
await page.locator(".main-tabbed-pane").first().waitFor().catch(() => {}); // it has started
for (let attempt = 0; attempt < 40 && (seen.missing = await open()); attempt += 1) {
  await page.waitForTimeout(250);
}

if (!seen.missing) {
  const count = JSON.parse(text).log.entries.length;
  const rows = page.locator(".network-log-grid tr.data-grid-data-grid-node");
  await page.evaluate((har) => window.panel.onLoadFromFile(new File([har], "a.har")), text);
  await rows.nth(count - 1).waitFor().catch(() => {});
  seen.rows = (await rows.allInnerTexts()).map((row) => row.split("\t"));
  if (pictures) await page.screenshot({ path: `${pictures}/har.png` });
}
await browser.close();
process.stdout.write(JSON.stringify(seen));
