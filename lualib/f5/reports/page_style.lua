-- The style of a report's page: light and dark, narrow and printed. Contrasts are those of WCAG AA.
return [==[
:root { color-scheme: light; --bg: #ffffff; --soft: #f5f7f9; --line: #d5dbe1; --fg: #1a2027;
  --dim: #57616c; --link: #0a58ca; --call: #3b7ddd; --good: #17723a; --good-bg: #e3f5e9;
  --bad: #b3202c; --bad-bg: #fdeaec; --warn: #855600; --warn-bg: #fff3d6; --wait: #d39313;
  --queue: #9aa5b1; --idle-bg: #e9edf1; --over: #eef3fb; }
:root[data-theme="dark"] { color-scheme: dark; --bg: #11161c; --soft: #192028; --line: #343e49;
  --fg: #e4e9ee; --dim: #9aa6b2; --link: #7db3ff; --call: #5b9bf5; --good: #5fd18a;
  --good-bg: #14301f; --bad: #ff8088; --bad-bg: #3a181c; --warn: #f0bd57; --warn-bg: #33270f;
  --wait: #e0a63a; --queue: #6b7683; --idle-bg: #252d36; --over: #1c2735; }
* { box-sizing: border-box }
html { scroll-behavior: auto }
body { margin: 0 auto; padding: 0 1.25rem 3rem; max-width: 84rem; background: var(--bg);
  color: var(--fg); font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif }
header { display: flex; justify-content: space-between; align-items: flex-start; gap: 1rem;
  padding: 1.1rem 0 .6rem }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 1.9rem 0 .5rem }
h3 { font-size: .8rem; margin: .9rem 0 .3rem; color: var(--dim); font-weight: 600 }
p { margin: .2rem 0 } a { color: var(--link) }
.dim { color: var(--dim) }
.unseen, .skip:not(:focus) { position: absolute; width: 1px; height: 1px; overflow: hidden;
  clip-path: inset(50%); white-space: nowrap }
.skip { position: absolute; left: 1rem; top: .5rem; background: var(--bg); padding: .3rem .6rem }
code, .mono { font: 12.5px/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
button, input { font: inherit; color: inherit }
button { background: none; border: 1px solid var(--line); border-radius: 6px; cursor: pointer;
  padding: .2rem .6rem }
button:hover { background: var(--over) }
:focus-visible { outline: 2px solid var(--link); outline-offset: 1px }
.themes { display: flex; flex: none }
.themes button { border-radius: 0; margin-left: -1px; padding: .15rem .55rem; font-size: .85rem }
.themes button:first-child { border-radius: 6px 0 0 6px }
.themes button:last-child { border-radius: 0 6px 6px 0 }
[aria-pressed="true"] { background: var(--over); border-color: var(--link); color: var(--link);
  position: relative }
.verdict { padding: .55rem .8rem; border-radius: 6px; font-weight: 600; border-left: 4px solid;
  overflow-wrap: anywhere }
.verdict.good { color: var(--good); background: var(--good-bg) }
.verdict.bad { color: var(--bad); background: var(--bad-bg) }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr));
  gap: .5rem; margin: .8rem 0 0 }
.figures div { border: 1px solid var(--line); border-radius: 6px; padding: .4rem .7rem }
.figures dt { color: var(--dim); font-size: .8rem }
.figures dd { margin: 0; font-size: 1.15rem; font-variant-numeric: tabular-nums }
nav { margin-top: .8rem; display: flex; gap: 1rem; flex-wrap: wrap }
.tools { display: flex; gap: .5rem .8rem; flex-wrap: wrap; align-items: center;
  margin-bottom: .5rem }
#search { flex: 1 1 16rem; max-width: 26rem; padding: .3rem .6rem; background: var(--bg);
  border: 1px solid var(--line); border-radius: 6px }
#search::placeholder { color: var(--dim); opacity: 1 }
.states { display: flex; gap: .3rem; flex-wrap: wrap }
.states button { border-radius: 999px; padding: .1rem .65rem; font-size: .87rem }
.view { max-height: 72vh; overflow: auto; border: 1px solid var(--line); border-radius: 6px }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: 6px }
table { border-collapse: separate; border-spacing: 0; width: 100%;
  font-variant-numeric: tabular-nums }
caption { text-align: left; padding: .2rem 0; color: var(--dim) }
thead th { text-align: left; font-size: .8rem; font-weight: 600; color: var(--dim);
  background: var(--soft); padding: .3rem .6rem; border-bottom: 1px solid var(--line);
  white-space: nowrap }
#heads th { position: sticky; top: 0; z-index: 1; padding: 0 }
#heads th.plain { padding: .35rem .6rem }
thead button { width: 100%; border: 0; border-radius: 0; text-align: inherit; color: inherit;
  font-weight: inherit; padding: .35rem .6rem; white-space: nowrap }
thead button::after { content: "↕"; opacity: .35; margin-left: .3rem }
th[aria-sort="ascending"] button::after { content: "↑"; opacity: 1 }
th[aria-sort="descending"] button::after { content: "↓"; opacity: 1 }
td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top }
tbody tr:last-child > td { border-bottom: 0 }
.devices { table-layout: fixed; overflow-anchor: none }
.view.whole { max-height: none }
.devices tr.device > * { height: 34px; padding: 0 .6rem; border-bottom: 1px solid var(--line);
  font-weight: inherit; text-align: left; overflow: hidden; white-space: nowrap;
  text-overflow: ellipsis; vertical-align: middle }
.devices tr.device:hover { background: var(--over) }
tr.gap > td { padding: 0; border: 0 }
.n, .devices tr.device > .n, thead th.n, th.n button { text-align: right }
.c-name { width: 22% } .c-state { width: 6.6rem } .c-changed { width: 6.2rem }
.c-calls { width: 5rem } .c-retries { width: 5.4rem } .c-time { width: 6rem } .c-line { width: 26% }
.open { border: 0; padding: 0 0 0 .25rem; text-align: left; width: 100%; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap; line-height: 32px; border-radius: 3px }
.open::before { content: "▸"; display: inline-block; width: 1.1em; color: var(--dim) }
.open[aria-expanded="true"]::before { content: "▾" }
.open:focus-visible { outline-offset: -2px }
.badge { display: inline-block; border-radius: 999px; padding: 0 .55rem; font-size: .82rem;
  line-height: 1.35rem; background: var(--idle-bg) }
.badge.done { color: var(--good); background: var(--good-bg) }
.badge.failed, .badge.unreached { color: var(--bad); background: var(--bad-bg) }
.badge.unknown, .badge.queued { color: var(--warn); background: var(--warn-bg) }
tr.detail > td { background: var(--soft); padding: .3rem 1rem 1rem 1.7rem }
tr.detail .scroll { background: var(--bg) }
.problem { border-left: 3px solid var(--bad); background: var(--bg); padding: .4rem .7rem;
  margin: .4rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
.calls td, .calls thead th { padding: .18rem .55rem; white-space: nowrap }
.calls td.path { white-space: normal; overflow-wrap: anywhere; min-width: 14rem }
.calls td.bar { width: 26%; min-width: 8rem; vertical-align: middle }
.bad-text { color: var(--bad) } .warn-text { color: var(--warn) }
svg { display: block; width: 100% }
svg .track { fill: var(--idle-bg) } svg .call { fill: var(--call) } svg .bad { fill: var(--bad) }
svg .wait { fill: var(--wait) } svg .queue { fill: var(--queue) }
.legend { display: flex; gap: 1rem; flex-wrap: wrap; font-size: .85rem; margin-top: .4rem }
.legend i { display: inline-block; width: .8rem; height: .6rem; border-radius: 2px;
  margin-right: .2rem }
.legend .call { background: var(--call) } .legend .bad { background: var(--bad) }
.legend .wait { background: var(--wait) } .legend .queue { background: var(--queue) }
.change { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; background: var(--bg) }
.change > .head { display: flex; gap: .2rem .7rem; flex-wrap: wrap; align-items: baseline;
  padding: .3rem .7rem; background: var(--soft); border-radius: 6px; overflow-wrap: anywhere }
.change table td { font: 12.5px/1.45 ui-monospace, monospace; white-space: pre-wrap;
  overflow-wrap: anywhere }
.change table { table-layout: fixed } .change td:first-child { width: 24% }
del { color: var(--bad); background: var(--bad-bg); text-decoration: none }
ins { color: var(--good); background: var(--good-bg); text-decoration: none }
.names-list { padding: .1rem .7rem .5rem; overflow-wrap: anywhere }
.more { margin: .4rem 0 }
.wide { overflow-wrap: anywhere; white-space: normal; min-width: 14rem }
footer { margin-top: 2.5rem; font-size: .85rem }
@media (max-width: 62rem) { .c-line { width: 22% } .c-retries { display: none } }
@media (max-width: 46rem) { body { padding: 0 .75rem 2rem }
  .c-line, .c-calls, .c-result { display: none } .c-name { width: auto } .legend { display: none }
  .calls td.bar, .calls th.bar { display: none } tr.detail > td { padding: .3rem .6rem .8rem }
  .figures { grid-template-columns: repeat(auto-fit, minmax(5.6rem, 1fr)) }
  .wide { min-width: 13rem }
  .view { max-height: none; overflow: visible } .c-state { width: 5.6rem } .c-time { width: 4.6rem }
  .c-changed { width: 5.3rem } td, th, .devices tr.device > * { padding-inline: .4rem } thead button { padding-inline: .4rem } }
@media (prefers-reduced-motion: no-preference) { button { transition: background .12s } }
@media print { :root, :root[data-theme="dark"] { color-scheme: light; --bg: #fff; --soft: #f5f5f5;
    --line: #bbb; --fg: #000; --dim: #444; --good: #17723a; --bad: #b3202c; --warn: #855600;
    --link: #000; --call: #3b7ddd; --idle-bg: #e9edf1; --good-bg: #e3f5e9; --bad-bg: #fdeaec;
    --warn-bg: #fff3d6 }
  body { max-width: none; padding: 0; font-size: 11px; print-color-adjust: exact }
  .themes, .tools, nav, .more, .skip { display: none } .view { max-height: none; overflow: visible }
  #heads th { position: static } thead button::after { content: none } thead { display: table-header-group }
  .devices tr.device > * { height: auto; white-space: normal } .open { white-space: normal;
    line-height: inherit } tr, .change { break-inside: avoid } tr.detail { break-inside: auto } }
]==]
