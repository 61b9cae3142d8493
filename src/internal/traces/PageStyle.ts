/** The style of the pages. Colours of text have a contrast of 4.5 at least on their ground, those of bars 3: a test measures them. */

const depths = Array.from({ length: 13 }, (_, depth) => `.d${depth} { padding-left: ${0.5 + depth * 1.1}rem }`)

export const style = `
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f4f5f7; --text: #1c1e21; --quiet: #57606a; --line: #d0d7de; --focus: #0b57d0;
  --request: #3d5a80; --database: #0b7285; --call: #7048a8; --log: #68707a; --failed: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171a; --raised: #1f2429; --text: #e6e8ea; --quiet: #a8b0b8; --line: #3a4149; --focus: #8ab4f8;
    --request: #8fb3e0; --database: #4fc3d0; --call: #bb9fee; --log: #9aa3ac; --failed: #ff8a80;
  }
}
body { margin: 0; background: var(--ground); color: var(--text); font: 0.875rem/1.4 system-ui, sans-serif }
main { padding: 1rem }
h1 { font-size: 1.25rem; margin: 0 0 0.5rem; overflow-wrap: anywhere }
h2 { font-size: 1.05rem; margin: 1.5rem 0 0.25rem; overflow-wrap: anywhere }
p { margin: 0.15rem 0; overflow-wrap: anywhere }
.quiet, .detail dt { color: var(--quiet) }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
table { border-collapse: collapse; width: 100%; margin-top: 0.5rem }
caption { text-align: left; font-weight: 600; font-size: 1.05rem; padding: 1rem 0 0.25rem }
th, td { text-align: left; vertical-align: top; padding: 0.2rem 0.5rem; border-bottom: 1px solid var(--line); font-weight: normal; overflow-wrap: anywhere }
thead th { font-weight: 600; color: var(--quiet) }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap }
code, pre { font: 0.8125rem/1.4 ui-monospace, monospace }
pre { margin: 0; white-space: pre-wrap }
.failed, .error { color: var(--failed) }
.error { display: block; overflow-wrap: anywhere }
.waterfall { table-layout: fixed; min-width: 44rem }
.waterfall .name { width: 34% }
.waterfall .start, .waterfall .duration { width: 6rem }
.waterfall .status { width: 5rem }
.waterfall tbody tr:not(.detail) { cursor: pointer }
.waterfall tbody tr:not(.detail):hover { background: var(--raised) }
.waterfall tr:focus { outline: 3px solid var(--focus); outline-offset: -3px }
.waterfall svg { display: block; width: 100%; height: 1rem; overflow: visible }
.scroll { overflow-x: auto }
tr[hidden] { display: none }
tr[aria-expanded="false"] .name-text::before { content: "▸ " }
tr[aria-expanded="true"] .name-text::before { content: "▾ " }
thead svg text { fill: var(--quiet); font: 0.75rem system-ui, sans-serif }
rect { fill: var(--request) }
.database rect { fill: var(--database) }
.call rect { fill: var(--call) }
.log rect, .missing rect { fill: var(--log) }
.failed rect { fill: var(--failed) }
rect.open { fill-opacity: 0.25; stroke: var(--request); stroke-dasharray: 4 3 }
.detail > td { background: var(--raised) }
.detail dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.15rem 1rem; margin: 0 }
.detail dd { margin: 0; overflow-wrap: anywhere }
${depths.join("\n")}
`
