// Opens a report in Chromium, uses it as a person would, and prints what it saw as JSON:
//   node tests/browser/report.mjs CHROMIUM FILE.html [PICTURES]
// PICTURES is a folder for screenshots. report_page_spec checks what is printed.
import { chromium } from "playwright-core";
import { pathToFileURL } from "node:url";

const [executablePath, file, pictures] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-dev-shm-usage"];
const browser = await chromium.launch({ executablePath, args });
const seen = { problems: [], requests: [] };

async function open(options) {
  const page = await browser.newPage({
    viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options,
  });
  page.on("console", (message) => seen.problems.push(message.text()));
  page.on("pageerror", (error) => seen.problems.push(error.message));
  page.on("dialog", (dialog) => { seen.problems.push("dialog"); dialog.dismiss(); });
  page.on("request", (request) => seen.requests.push(request.url().split(":")[0]));
  page.setDefaultTimeout(10000);
  await page.goto(pathToFileURL(file).href);
  await page.waitForSelector("#rows tr.device");
  return page;
}

const take = async (page, name) => pictures && page.screenshot({ path: `${pictures}/${name}.png` });
const names = (page) => page.locator("#rows .open").allTextContents();
const status = (page) => page.locator("#shown").textContent();
const focused = (page) => page.evaluate(() => document.activeElement.textContent);
// Waits until a condition in the page holds; what is printed shows if it never did.
const until = (page, condition) => page.waitForFunction(condition).catch(() => {});
// Whether what has the focus can be seen, below the heads of the columns.
const visible = (page) => page.evaluate(() => {
  const at = document.activeElement.getBoundingClientRect();
  const over = document.elementFromPoint(at.left + 20, at.top + at.height / 2);
  return over === document.activeElement;
});
const background = (page) =>
  page.evaluate(() => getComputedStyle(document.body).backgroundColor);

const page = await open({ colorScheme: "light" });
seen.ready = await page.evaluate(() => performance.getEntriesByName("shown")[0].startTime);
seen.title = await page.title();
seen.verdict = await page.locator("#verdict").textContent();
seen.first = await names(page);
seen.status = await status(page);
seen.total = await page.locator("#table").getAttribute("aria-rowcount");
seen.errors = await page.locator("#error-list tbody").innerText();
seen.changes = await page.locator("#changes").isVisible()
  ? await page.locator("#change-list").innerText() : null;
seen.slow = await page.locator("#slow").isVisible()
  ? await page.locator("#slow-list tbody tr").count() : 0;
seen.landmarks = await page.evaluate(() => ["header", "main", "nav[aria-label]", "[role=search]",
  "footer", "h1", "h2", "table[aria-labelledby]", "th[scope=col]", "th[scope=row]"]
  .filter((one) => !document.querySelector(one)));
seen.unnamed = await page.evaluate(() => [...document.querySelectorAll("button, input, [role=img]")]
  .filter((one) => !(one.getAttribute("aria-label") || one.textContent)).length);
seen.injected = await page.evaluate(() => document.querySelectorAll("main script, main img, main b")
  .length);
seen.light = await background(page);
await take(page, "light");

// sort
const time = page.locator("#heads button", { hasText: "Time" });
await time.click();
seen.sorted = [await page.locator("#heads th.c-time").getAttribute("aria-sort"), await names(page)];
await time.click();
seen.sorted_again = [await page.locator("#heads th.c-time").getAttribute("aria-sort"),
  await names(page)];
const byName = page.locator("#heads button", { hasText: "Device" });
await byName.click();
seen.up = await names(page);
await byName.click();
seen.down = await names(page);
await byName.click();

// filter: by state, then by words, with the keyboard
await page.locator("#states button", { hasText: "failed" }).click();
seen.failed = [await status(page), await names(page)];
seen.pressed = await page.locator("#states button[aria-pressed=true]").textContent();
await page.locator("#states button", { hasText: "All" }).click();
await page.locator("h1").click();
await page.keyboard.press("/");
await page.keyboard.type("MISSING");
seen.filtered = [await status(page), await names(page)];
await page.keyboard.press("Escape");
seen.unfiltered = await status(page);

// expand with the keyboard
await page.locator("#rows .open").first().focus();
await page.keyboard.press("ArrowDown");
seen.focused = await focused(page);
seen.outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
await page.keyboard.press("Enter");
const second = page.locator("#rows .open").nth(1);
seen.expanded = await second.getAttribute("aria-expanded");
const details = page.locator("#" + await second.getAttribute("aria-controls"));
seen.details = await details.innerText();
seen.bars = await details.locator("svg rect:not(.track)").count();
await take(page, "expanded");
await page.keyboard.press("Enter");
seen.collapsed = [await second.getAttribute("aria-expanded"), await details.count()];

// the end of a long list
await page.locator("#view").focus();
await page.evaluate(() => { document.getElementById("view").scrollTop = 1e9; });
await until(page, () => {
  const last = [...document.querySelectorAll("#rows tr.device")].at(-1);
  const count = document.getElementById("table").getAttribute("aria-rowcount");
  return last.getAttribute("aria-rowindex") === count;
});
seen.last = (await names(page)).at(-1);
seen.rows = await page.locator("#rows tr.device").count();
await page.evaluate(() => { document.getElementById("view").scrollTop = 0; });
await until(page, () => document.querySelector("#rows tr.device")
  .getAttribute("aria-rowindex") === "2");

// a link from an error leads to its device
const link = page.locator("#error-list a").last();
if (await link.count()) {
  seen.link = [await link.textContent()];
  await link.click();
  seen.link.push(await focused(page), await visible(page));
}

// colours: the switch, and what the system wants
await page.locator(".themes button", { hasText: "Dark" }).click();
seen.dark = await background(page);
await take(page, "dark");
await page.locator(".themes button", { hasText: "Auto" }).click();
seen.auto = await background(page);
await page.emulateMedia({ colorScheme: "dark" });
await until(page, () => document.documentElement.dataset.theme === "dark");
seen.system = await background(page);

// print
await page.emulateMedia({ media: "print" });
await until(page, () => document.querySelectorAll("#rows tr.device").length + 1
  === Number(document.getElementById("table").getAttribute("aria-rowcount")));
seen.printed = await page.locator("#rows tr.device").count();
seen.print_tools = await page.locator(".tools").isVisible();
seen.print = await background(page);
if (seen.printed < 100) seen.pdf = (await page.pdf({ format: "A4" })).length;
await page.close();

// a phone
const phone = await open({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
seen.phone_table = await phone.evaluate(() =>
  document.getElementById("view").clientWidth - document.getElementById("table").offsetWidth);
await phone.locator("#rows .open").first().click();
seen.phone_name = await phone.evaluate(() => document.querySelector("#heads th").offsetWidth);
await take(phone, "phone");
await phone.locator("#rows .open").first().click();
const place = (name) => phone.evaluate((id) => {
  const box = document.getElementById(id).getBoundingClientRect();
  return [box.top + scrollY, box.bottom + scrollY];
}, name);
const [, end] = await place("table");
await phone.evaluate((y) => scrollTo(0, y - innerHeight), end);
await until(phone, () => {
  const last = [...document.querySelectorAll("#rows tr.device")].at(-1);
  const count = document.getElementById("table").getAttribute("aria-rowcount");
  return last.getAttribute("aria-rowindex") === count;
});
seen.phone_last = (await names(phone)).at(-1);
seen.phone_rows = await phone.locator("#rows tr.device").count();
await take(phone, "phone_end");
const far = phone.locator("#error-list a").last();
if (await far.count()) {
  seen.phone_link = [await far.textContent()];
  await far.click();
  seen.phone_link.push(await focused(phone), await visible(phone));
  await take(phone, "phone_link");
}
seen.overflow = await phone.evaluate(() =>
  document.documentElement.scrollWidth - document.documentElement.clientWidth);
await browser.close();
process.stdout.write(JSON.stringify(seen));
