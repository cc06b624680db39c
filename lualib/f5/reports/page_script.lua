-- The second part of the script of a report's page: what it shows and what it does.
return [==[
/* -- colours -- */

const dark = matchMedia("(prefers-color-scheme: dark)");
let theme = "auto";
try { theme = localStorage.getItem("f5lua-theme") || "auto"; } catch (e) { /* not allowed */ }
function paint() {
  const root = document.documentElement;
  root.dataset.theme = theme === "auto" ? (dark.matches ? "dark" : "light") : theme;
  for (const button of document.querySelectorAll(".themes button")) {
    button.setAttribute("aria-pressed", String(button.dataset.theme === theme));
  }
}
for (const button of document.querySelectorAll(".themes button")) {
  button.addEventListener("click", () => {
    theme = button.dataset.theme;
    try { localStorage.setItem("f5lua-theme", theme); } catch (e) { /* not allowed */ }
    paint();
  });
}
dark.addEventListener("change", paint);
paint();

/* -- summary -- */

/* The entry of a single run has the calls of all its sessions already. */
const sum = (of) => devices.reduce((total, one) =>
  total + (data.single && one.s === "session" ? 0 : of(one)), 0);

function showSummary() {
  const began = new Date(data.began * 1000);
  byId("when").append("Began ", make("time", { datetime: began.toISOString() },
    began.toISOString().slice(0, 19).replace("T", " ") + " UTC"));
  byId("verdict").classList.add(data.ok ? "good" : "bad");
  const c = data.counts;
  const figures = [["Devices", whole.format(c.total)], ["Done", whole.format(c.done)],
    ["Failed", whole.format(c.failed)]];
  if (c.skipped) figures.push(["Skipped", whole.format(c.skipped)]);
  if (c.unreached) figures.push(["Not reached", whole.format(c.unreached)]);
  if (c.earlier) figures.push(["Done earlier", whole.format(c.earlier)]);
  figures.push(["Changed", whole.format(sum((one) => (one.c ? 1 : 0)))]);
  figures.push(["Calls", whole.format(sum((one) => one.k))]);
  if (data.watched) figures.push(["Retries", whole.format(devices.reduce((n, one) => n + one.retries, 0))]);
  figures.push(["Data", bytes(sum((one) => one.b))], ["Duration", time(data.duration * 1000)]);
  for (const [name, value] of figures) {
    byId("figures").append(make("div", {}, make("dt", {}, name), make("dd", {}, value)));
  }
  byId("foot").append("Made by f5lua " + data.version
    + (data.watched ? "." : ". The single calls of this run were not recorded."));
  const left = sum((one) => one.o || 0);
  if (left) byId("foot").append(" " + count(left, "call") + " are left out of this page: it "
    + "has the failed, the repeated and the slowest calls of each device.");
}

/* -- a link to a device -- */

function deviceLink(device) {
  return make("a", { href: "#devices", onclick: (event) => {
    event.preventDefault();
    reveal(device);
  } }, device.n);
}

/* -- errors -- */

function showErrors() {
  const groups = new Map();
  for (const device of devices) {
    if (!device.e) continue;
    const text = device.message.split(device.n).join("…");
    const key = JSON.stringify([device.e.kind, device.e.line, text]);
    if (!groups.has(key)) groups.set(key, { first: device, text, devices: [] });
    groups.get(key).devices.push(device);
  }
  if (!groups.size) return;
  byId("errors").hidden = false;
  const body = make("tbody");
  const list = [...groups.values()].sort((a, b) => b.devices.length - a.devices.length);
  byId("error-list").append(make("table", { "aria-labelledby": "h-errors" },
    head(">Devices", "Error", "Line", "Kind", "On"), body));
  growing(list, 20, byId("errors"), (group) => {
    const names = make("span", {});
    group.devices.slice(0, 3).forEach((one, i) => names.append(i ? ", " : "", deviceLink(one)));
    if (group.devices.length > 3) {
      names.append(" ", make("button", { type: "button", onclick: () => search(group.text) },
        "and " + whole.format(group.devices.length - 3) + " more"));
    }
    const text = group.devices.length === 1 ? group.first.message : group.text;
    body.append(make("tr", {}, make("td", { cls: "n" }, whole.format(group.devices.length)),
      make("td", { cls: "wide" }, text.length > 300 ? text.slice(0, 300) + " …" : text),
      make("td", {}, make("code", {}, group.first.e.line || "–")),
      make("td", {}, group.first.e.kind || "–"), make("td", { cls: "wide" }, names)));
  });
}

/* -- changes -- */

const shownValue = (value) => (value === null ? "(none)" : value === "" ? '""' : value);

function changeBox(change, note) {
  const box = make("div", { cls: "change" }, make("div", { cls: "head" },
    make("span", {}, change.v), make("strong", {}, change.n),
    change.s !== "done" && make("span", { cls: "badge " + change.s }, change.s),
    change.l && make("code", { cls: "dim" }, change.l), note));
  if (change.m) box.append(make("p", { cls: "names-list bad-text" }, change.m));
  if (change.p.length) {
    const body = make("tbody");
    for (const [name, old, now] of change.p) {
      body.append(make("tr", {}, make("td", {}, name),
        old === false ? null : make("td", {}, make("del", {}, shownValue(old))),
        make("td", { colspan: old === false ? 2 : null }, make("ins", {}, shownValue(now)))));
    }
    box.append(make("table", {}, make("thead", { cls: "unseen" }, make("tr", {},
      make("th", { scope: "col" }, "Property"), change.k && make("th", { scope: "col" }, "Old"),
      make("th", { scope: "col" }, "New"))), body));
  } else if (change.k) {
    box.append(make("p", { cls: "names-list dim" }, "nothing differs from what was there"));
  }
  return box;
}

function showChanges() {
  const groups = new Map();
  let total = 0;
  let left = 0;
  let known = true;
  for (const device of devices) {
    left += device.z || 0;
    for (const change of device.w || []) {
      total += 1;
      if (change.v === "changed" && !change.k) known = false;
      const key = JSON.stringify([change.v, change.n, change.s, change.p, change.l, change.m]);
      if (!groups.has(key)) groups.set(key, { change, devices: [] });
      groups.get(key).devices.push(device);
    }
  }
  if (!total) return;
  byId("changes").hidden = false;
  byId("change-note").textContent = count(total, "write") + ", those that are the same on several "
    + "devices together." + (known ? "" : " Without --undoable only what was sent is known, "
    + "not what was there before.")
    + (left ? " " + count(left, "write") + " are left out of this page." : "");
  const list = [...groups.values()].sort((a, b) => b.devices.length - a.devices.length);
  growing(list, 15, byId("changes"), (group) => {
    const names = make("span", { cls: "dim" }, "on ");
    if (group.devices.length <= 3) {
      group.devices.forEach((one, i) => names.append(i ? ", " : "", deviceLink(one)));
    } else {
      const all = make("div", { cls: "names-list", hidden: true });
      const button = make("button", { type: "button", "aria-expanded": "false", onclick: () => {
        all.hidden = !all.hidden;
        button.setAttribute("aria-expanded", String(!all.hidden));
        if (!all.childNodes.length) {
          group.devices.forEach((one, i) => all.append(i ? ", " : "", deviceLink(one)));
        }
      } }, count(group.devices.length, "device"));
      names.append(button);
      const box = changeBox(group.change, names);
      box.append(all);
      byId("change-list").append(box);
      return;
    }
    byId("change-list").append(changeBox(group.change, names));
  });
}

/* -- calls -- */

const outcome = (call) => make("td", { cls: isBad(call) ? "bad-text" : null,
  title: call.failure || null }, call.status ? String(call.status) : call.failure || "no answer");

function showSlow() {
  const top = [];
  for (const device of devices) {
    for (let at = 0; device.x && at < device.x.length; at += data.stride) {
      top.push([device.x[at + 1], device, at]);
    }
  }
  if (!top.length) return;
  top.sort((a, b) => b[0] - a[0]);
  byId("slow").hidden = false;
  const body = make("tbody");
  byId("slow-list").append(make("table", { cls: "calls", "aria-labelledby": "h-slow" },
    head(">Time", "Device", "Method", "Path", "Status", "Line", ">Start"), body));
  growing(top.slice(0, 100), 10, byId("slow"), ([, device, at]) => {
    const call = callAt(device, at);
    body.append(make("tr", {}, make("td", { cls: "n" }, time(call.time)),
      make("td", {}, deviceLink(device)), make("td", {}, call.method),
      make("td", { cls: "path mono" }, call.path), outcome(call),
      make("td", {}, make("code", {}, call.line || "–")),
      make("td", { cls: "n" }, time(call.start))));
  });
}

function callTable(device, into) {
  const list = callsOf(device);
  const from = Math.min(...list.map((call) => call.start - call.queued));
  const to = Math.max(...list.map((call) => call.start + call.time + call.pause));
  const body = make("tbody");
  into.append(make("div", { cls: "scroll" }, make("table", { cls: "calls" },
    make("caption", { cls: "unseen" }, "Calls of " + device.n),
    head(">Start", ">Time", "Method", "Path", "Status", "Line", "Notes", "Timeline"), body)));
  growing(list, 50, into, (call) => {
    const notes = [];
    if (call.attempt > 1) notes.push("attempt " + call.attempt);
    if (call.queued >= 1) notes.push("queued " + time(call.queued));
    if (call.retry) notes.push("again after " + time(call.pause) + " (" + call.retry + ")");
    const bar = timeline(device, from, to, 14, [call]);
    bar.setAttribute("aria-hidden", "true");
    body.append(make("tr", {}, make("td", { cls: "n" }, time(call.start)),
      make("td", { cls: "n" }, time(call.time)), make("td", {}, call.method),
      make("td", { cls: "path mono" }, call.path,
        isBad(call) && make("div", { cls: "bad-text" }, call.failure)),
      outcome(call), make("td", {}, make("code", {}, call.line || "–")),
      make("td", { cls: call.retry ? "warn-text" : null }, notes.join(", ")),
      make("td", { cls: "bar" }, bar)));
  });
}

/* -- devices: only the rows that can be seen are in the page -- */

const ROW = 35; /* px */
const COLUMNS = [
  ["name", "Device", (a, b) => order.compare(a.n, b.n)],
  ["state", "State", (a, b) => STATES.indexOf(a.s) - STATES.indexOf(b.s)],
  ["changed", "Changed", (a, b) => Number(b.c) - Number(a.c)],
  ["calls n", "Calls", (a, b) => a.k - b.k],
  ["retries n", "Retries", (a, b) => a.retries - b.retries],
  ["time n", "Time", (a, b) => a.d - b.d],
  ["line", "Timeline", null],
  ["result", "Result", (a, b) => order.compare(a.message, b.message)],
];
const order = new Intl.Collator("en", { numeric: true });
let list = devices;
let sorted = { column: -1, down: false };
let state = null;
let wanted = "";
let printing = false;
const open = new Map(); /* device -> height of its details */
const made = new Map(); /* device -> [row, row of the details or undefined] */
const view = byId("view");
const rows = byId("rows");
const above = make("tr", { cls: "gap", "aria-hidden": "true" }, make("td", { colspan: 8 }));
const below = above.cloneNode(true);

function details(device) {
  const cell = make("td", { colspan: 8 });
  if (device.e) {
    cell.append(make("div", { cls: "problem" }, device.e.text,
      device.e.line && !device.e.text.includes(device.e.line) ? "\nat " + device.e.line : ""));
  } else if (device.m) {
    cell.append(make("p", { cls: "wide" }, device.m));
  }
  if (device.w) {
    cell.append(make("h3", {}, "Changes"));
    const box = make("div");
    cell.append(box);
    growing(device.w, 20, cell, (change) => box.append(changeBox(change)));
  }
  if (device.calls) {
    cell.append(make("h3", {}, "Calls"));
    callTable(device, cell);
    if (device.o) cell.append(make("p", { cls: "dim" }, count(device.o, "more call")
      + " are left out of this page."));
  } else {
    cell.append(make("p", { cls: "dim" }, data.watched ? "No calls." : "No calls were recorded."));
  }
  return make("tr", { cls: "detail", id: "detail-" + device.i }, cell);
}

function rowOf(device) {
  const expanded = open.has(device);
  const button = make("button", { type: "button", cls: "open", "aria-expanded": String(expanded),
    "aria-controls": "detail-" + device.i, title: device.n, onclick: () => toggle(device) },
    device.n);
  const line = make("td", { cls: "c-line" });
  if (device.calls) {
    const svg = timeline(device, 0, runEnd, 20);
    svg.setAttribute("role", "img");
    svg.setAttribute("aria-label", described(device));
    line.append(svg);
  }
  return make("tr", { cls: "device" }, make("th", { scope: "row", cls: "name" }, button),
    make("td", {}, badge(device.s)), make("td", {}, device.c ? "yes" : "no"),
    make("td", { cls: "n c-calls" }, whole.format(device.k)),
    make("td", { cls: "n c-retries" }, device.retries || "–"),
    make("td", { cls: "n" }, time(device.d * 1000)), line,
    make("td", { cls: "c-result" + (device.e ? " bad-text" : ""), title: device.message },
      device.message));
}

function toggle(device, only) {
  if (open.has(device) && !only) open.delete(device);
  else if (!open.has(device)) open.set(device, 300);
  const rowPair = made.get(device);
  if (rowPair) {
    rowPair[0].querySelector(".open").setAttribute("aria-expanded", String(open.has(device)));
    if (rowPair[1]) rowPair[1].remove();
    rowPair[1] = undefined;
  }
  draw();
}

const topOf = (index) => {
  let top = index * ROW;
  if (open.size) {
    for (let i = 0; i < index; i += 1) if (open.has(list[i])) top += open.get(list[i]);
  }
  return top;
};

/* Whether the list of devices scrolls; on a phone, and if it is short, the page does. */
const scrollsInside = () => view.scrollHeight > view.clientHeight + 1;

/* The first and the last index to draw. */
function range() {
  if (printing || list.length <= 60) return [0, list.length];
  const inside = scrollsInside();
  const box = view.getBoundingClientRect();
  const from = (inside ? view.scrollTop : Math.max(0, -box.top)) - 300;
  const to = (inside ? view.scrollTop + view.clientHeight : innerHeight - box.top) + 300;
  let first = 0;
  let y = 0;
  const height = (i) => ROW + (open.get(list[i]) || 0);
  while (first < list.length - 1 && y + height(first) < from) y += height(first++);
  let last = first;
  while (last < list.length && y < to) y += height(last++);
  return [first, Math.max(last, first + 30)].map((i) => Math.min(i, list.length));
}

function draw() {
  /* more columns than are shown would take the width of the names */
  const columns = [...byId("heads").children].filter((one) => one.offsetWidth > 0).length || 8;
  above.firstChild.colSpan = below.firstChild.colSpan = columns;
  view.classList.toggle("whole", list.length <= 60);
  const [first, last] = range();
  const keep = new Set(list.slice(first, last));
  const focused = document.activeElement;
  for (const [device, pair] of made) {
    if (keep.has(device)) continue;
    if (pair[0].contains(focused) || (pair[1] && pair[1].contains(focused))) {
      view.focus({ preventScroll: true });
    }
    pair[0].remove();
    if (pair[1]) pair[1].remove();
    made.delete(device);
  }
  let at = above;
  for (let i = first; i < last; i += 1) {
    const device = list[i];
    if (!made.has(device)) made.set(device, [rowOf(device), undefined]);
    const pair = made.get(device);
    if (open.has(device) && !pair[1]) pair[1] = details(device);
    if (pair[1] && pair[1].firstChild.colSpan !== columns) pair[1].firstChild.colSpan = columns;
    for (const row of pair) {
      if (!row) continue;
      if (at.nextSibling !== row) at.after(row);
      at = row;
    }
    pair[0].setAttribute("aria-rowindex", i + 2);
  }
  for (const [device, pair] of made) if (pair[1]) open.set(device, pair[1].offsetHeight);
  above.firstChild.style.height = topOf(first) + "px";
  below.firstChild.style.height = (topOf(list.length) - topOf(last)) + "px";
  above.hidden = first === 0;
  below.hidden = last === list.length;
}

function search(text) {
  byId("search").value = text;
  wanted = text.trim().toLowerCase();
  choose();
  byId("devices").scrollIntoView();
}

/* Filters and sorts. */
function choose() {
  const hits = new Set();
  if (wanted) data.texts.forEach((text, i) => { if (text.toLowerCase().includes(wanted)) hits.add(i); });
  const has = (one) => {
    if (!wanted || one.low.includes(wanted)) return true;
    for (const word of one.words) if (hits.has(word)) return true;
    return (one.w || []).some((change) => change.n.toLowerCase().includes(wanted));
  };
  const pieces = wanted.split("…").filter(Boolean);
  const loose = (one) => pieces.length > 1 && pieces.every((piece) => one.low.includes(piece));
  list = devices.filter((one) => (!state || one.s === state) && (has(one) || loose(one)));
  if (sorted.column >= 0) {
    const compare = COLUMNS[sorted.column][2];
    list = list.slice().sort((a, b) => (sorted.down ? compare(b, a) : compare(a, b)) || a.i - b.i);
  }
  byId("shown").textContent = list.length === devices.length
    ? count(devices.length, "device")
    : whole.format(list.length) + " of " + count(devices.length, "device");
  byId("table").setAttribute("aria-rowcount", list.length + 1);
  view.scrollTop = 0;
  draw();
}

function reveal(device) {
  if (!list.includes(device)) {
    state = null;
    wanted = "";
    byId("search").value = "";
    markStates();
    choose();
  }
  open.set(device, open.get(device) || 300);
  const pair = made.get(device);
  if (pair) pair[0].querySelector(".open").setAttribute("aria-expanded", "true");
  if (scrollsInside()) byId("devices").scrollIntoView();
  focusRow(list.indexOf(device));
}

/* Moves to the row of a device, which may not be in the page yet. */
function focusRow(index) {
  if (index < 0 || index >= list.length) return;
  const top = topOf(index);
  const inside = scrollsInside();
  const from = inside ? view.scrollTop : Math.max(0, -view.getBoundingClientRect().top);
  if (top < from || top + 2 * ROW > from + (inside ? view.clientHeight : innerHeight)) {
    if (inside) view.scrollTop = Math.max(0, top - ROW);
    else scrollTo(0, view.getBoundingClientRect().top + scrollY + top - 2 * ROW);
  }
  draw();
  const button = made.get(list[index]) && made.get(list[index])[0].querySelector(".open");
  if (button) button.focus({ preventScroll: inside });
}

function showHeads() {
  COLUMNS.forEach(([cls, name, compare], column) => {
    const names = cls.split(" ").map((one) => (one === "n" ? one : "c-" + one)).join(" ");
    if (!compare) {
      byId("heads").append(make("th", { scope: "col", cls: names + " plain" }, name));
      return;
    }
    const button = make("button", { type: "button" }, name);
    const cell = make("th", { scope: "col", cls: names, "aria-sort": "none" }, button);
    button.addEventListener("click", () => {
      if (sorted.column !== column) sorted = { column, down: /Calls|Retries|Time/.test(name) };
      else sorted.down = !sorted.down;
      [...byId("heads").children].forEach((one, i) => {
        if (COLUMNS[i][2]) one.setAttribute("aria-sort",
          i !== column ? "none" : sorted.down ? "descending" : "ascending");
      });
      choose();
    });
    byId("heads").append(cell);
  });
}

function markStates() {
  for (const button of byId("states").children) {
    button.setAttribute("aria-pressed", String((button.dataset.state || null) === state));
  }
}

function showStates() {
  const totals = new Map();
  for (const one of devices) totals.set(one.s, (totals.get(one.s) || 0) + 1);
  const add = (value, label) => byId("states").append(make("button", { type: "button",
    "data-state": value || "", "aria-pressed": String(value === state), onclick: () => {
      state = value;
      markStates();
      choose();
    } }, label));
  if (totals.size < 2) return;
  add(null, "All");
  for (const name of STATES) {
    if (totals.has(name)) add(name, nameOf(name) + " " + whole.format(totals.get(name)));
  }
}

function showContents() {
  for (const part of document.querySelectorAll("main > section[id]")) {
    if (!part.hidden) byId("contents").append(make("a", { href: "#" + part.id },
      part.querySelector("h2").textContent));
  }
}

byId("search").addEventListener("input", (event) => {
  wanted = event.target.value.trim().toLowerCase();
  choose();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.tagName === "INPUT";
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/" && !typing) {
    event.preventDefault();
    byId("search").focus();
  } else if (event.key === "Escape" && typing && byId("search").value) {
    search("");
  } else if ((event.key === "ArrowDown" || event.key === "ArrowUp")
      && event.target.classList && event.target.classList.contains("open")) {
    event.preventDefault();
    const row = event.target.closest("tr");
    const index = Number(row.getAttribute("aria-rowindex")) - 2;
    focusRow(index + (event.key === "ArrowDown" ? 1 : -1));
  }
});

let waiting = false;
function later() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; draw(); });
}
view.addEventListener("scroll", later, { passive: true });
addEventListener("scroll", later, { passive: true });
addEventListener("resize", later);

function forPaper(on) {
  if (printing === on) return;
  printing = on;
  draw();
}
addEventListener("beforeprint", () => forPaper(true));
addEventListener("afterprint", () => forPaper(false));
matchMedia("print").addEventListener("change", (event) => forPaper(event.matches));

rows.append(above, below);
showSummary();
showHeads();
showStates();
choose();
showErrors();
showChanges();
showSlow();
showContents();
performance.mark("shown");
]==]
