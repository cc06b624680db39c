-- The first part of the script of a report's page: what the data means, and how to make elements.
-- Texts reach the page only as text (`textContent`), never as HTML.
return [==[
"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const MS = data.unit / 1000;
const byId = (id) => document.getElementById(id);

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === false || value === undefined || value === null) continue;
    if (name === "onclick") element.addEventListener("click", value);
    else element.setAttribute(name === "cls" ? "class" : name, value === true ? "" : value);
  }
  for (const child of children.flat(2)) {
    if (child !== undefined && child !== null && child !== false) element.append(child);
  }
  return element;
}

function drawing(tag, attributes) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

const whole = new Intl.NumberFormat("en");
const count = (n, one, many) => whole.format(n) + " " + (n === 1 ? one : many || one + "s");

function time(ms) {
  if (ms < 10) return ms.toFixed(1) + " ms";
  if (ms < 1000) return Math.round(ms) + " ms";
  if (ms < 60000) return (ms / 1000).toFixed(2) + " s";
  return Math.floor(ms / 60000) + " min " + Math.round((ms % 60000) / 1000) + " s";
}

function bytes(n) {
  if (n < 1024) return n + " B";
  if (n < 1048576) return (n / 1024).toFixed(1) + " KB";
  return (n / 1048576).toFixed(1) + " MB";
}

/* One exchange as an object; times in ms. */
function callAt(device, at) {
  const x = device.x;
  const text = (i) => (x[at + i] < 0 ? null : data.texts[x[at + i]]);
  const what = text(3);
  const space = what.indexOf(" ");
  return { start: x[at] * MS, time: x[at + 1] * MS, queued: x[at + 2] * MS,
    method: what.slice(0, space), path: what.slice(space + 1), status: x[at + 4],
    attempt: x[at + 5], line: text(6), failure: text(7), retry: text(8), pause: x[at + 9] * MS,
    sent: x[at + 10], received: x[at + 11], device };
}

function callsOf(device) {
  const list = [];
  for (let at = 0; device.x && at < device.x.length; at += data.stride) list.push(callAt(device, at));
  return list;
}

/* What is counted and searched, once for each device. */
let runEnd = 0;
const devices = data.devices.map((one, i) => {
  const x = one.x || [];
  let retries = 0;
  const words = new Set();
  for (let at = 0; at < x.length; at += data.stride) {
    if (x[at + 8] >= 0) retries += 1;
    words.add(x[at + 3]).add(x[at + 6]);
    runEnd = Math.max(runEnd, x[at] + x[at + 1] + x[at + 9]);
  }
  const first = one.e ? one.e.text.split("\n")[0] : one.m || "";
  const message = first.startsWith(one.n + ": ") ? first.slice(one.n.length + 2) : first;
  return Object.assign(one, { i, retries, words, message, calls: x.length / data.stride,
    low: (one.n + "\n" + message + "\n" + (one.e && one.e.line || "")).toLowerCase() });
});
runEnd = Math.max(runEnd * MS, 1);

const STATES = ["failed", "unreached", "running", "done", "skipped", "earlier", "session"];
const NAMES = { unreached: "not reached", earlier: "done earlier", session: "other session" };
const nameOf = (state) => NAMES[state] || state;
const badge = (state) => make("span", { cls: "badge " + state }, nameOf(state));

/* Whether a call went wrong. "Not found" is an answer as any other, unless the device failed with
 * it: that is how `ensure` looks whether there is an object. */
const isBad = (call) => call.failure !== null && (call.status !== 404
  || Boolean(call.device.e && call.device.e.text.includes(call.path)));

/* Bars of calls. Those that would be drawn at the same place become one. */
function timeline(device, from, to, height, only) {
  const WIDTH = 1000;
  const svg = drawing("svg", { viewBox: "0 0 " + WIDTH + " " + height, height,
    preserveAspectRatio: "none" });
  svg.append(drawing("rect", { class: "track", x: 0, y: height / 2 - 0.5, width: WIDTH, height: 1 }));
  const scale = WIDTH / Math.max(to - from, 0.001);
  const last = {};
  function bar(kind, start, length) {
    if (length <= 0) return;
    const x = (start - from) * scale;
    const width = Math.max(length * scale, 2.5);
    const before = last[kind];
    if (before && x <= before.end + 1) {
      if (x + width <= before.end) return;
      before.end = x + width;
      before.element.setAttribute("width", (before.end - before.x).toFixed(1));
      return;
    }
    const element = drawing("rect", { class: kind, x: x.toFixed(1), y: 2, height: height - 4,
      width: width.toFixed(1) });
    last[kind] = { x, end: x + width, element };
    svg.append(element);
  }
  for (const call of only || callsOf(device)) {
    bar("queue", call.start - call.queued, call.queued);
    bar(isBad(call) ? "bad" : "call", call.start, Math.max(call.time, 0.01));
    bar("wait", call.start + call.time, call.pause);
  }
  return svg;
}

function described(device) {
  if (!device.calls) return "no calls";
  const list = callsOf(device);
  const end = Math.max(...list.map((call) => call.start + call.time));
  const failed = list.filter(isBad).length;
  return count(list.length, "call") + " from " + time(list[0].start) + " to " + time(end)
    + (failed ? ", " + failed + " failed" : "")
    + (device.retries ? ", " + count(device.retries, "retry", "retries") : "");
}

/* A list that grows when asked to: shows `size` entries, and a button for more. */
function growing(list, size, parent, add) {
  let shown = 0;
  const button = make("button", { type: "button", cls: "more" });
  function more() {
    const first = shown;
    for (const end = Math.min(shown + size, list.length); shown < end; shown += 1) {
      add(list[shown], shown);
    }
    const left = list.length - shown;
    button.textContent = "Show " + Math.min(size, left) + " more of " + whole.format(left);
    if (left === 0) button.remove();
    return first;
  }
  button.addEventListener("click", more);
  more();
  if (shown < list.length) parent.append(button);
}

const head = (...names) => make("thead", {}, make("tr", {}, names.map((name) =>
  make("th", { scope: "col", cls: name.startsWith(">") ? "n" : name === "Timeline" ? "bar" : null },
    name.replace(">", "")))));
]==]
