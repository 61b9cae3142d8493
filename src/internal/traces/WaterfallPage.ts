/** Traces as a page: a treegrid each, whose bars are drawn in proportion on one axis. */
import { escape, page } from "./Page.ts"
import { counted, time, visible, visibleLines } from "./Text.ts"
import type { Row, Trace } from "./Trace.ts"
import { failureLines, headLines } from "./Waterfall.ts"

/** Rows of a page, over all of its traces: a browser shows so many without a pause. */
const mostRows = 20_000
const deepest = 12

const percent = (part: number, whole: number): number =>
  whole > 0 ? Math.round(Math.min(100, Math.max(0, (100 * part) / whole)) * 1000) / 1000 : 0

/** A moment, and what is shorter than one dot, is two dots wide. */
const bar = (row: Row, total: number): string => {
  const isOpen = row.kind === "request" && row.duration === null
  const start = percent(row.start, total)
  const width = percent(isOpen ? total - row.start : (row.duration ?? 0), total)
  const label =
    row.duration === null
      ? `at ${time(row.start)}${isOpen ? ", no end in the log" : ""}`
      : `from ${time(row.start)}, ${time(row.duration)} long`
  const shape = width === 0 ? 'width="2"' : `width="${width}%"`
  return `<svg role="img" aria-label="${label}"><rect x="${Math.min(start, 99.8)}%" y="15%" height="70%" ${shape}${isOpen ? ' class="open"' : ""}/>${width === 0 ? "" : `<rect x="${Math.min(start, 99.8)}%" y="15%" height="70%" width="2"/>`}</svg>`
}

const valueText = (value: unknown): string => (typeof value === "string" ? value : JSON.stringify(value, undefined, 2))

const detailsOf = (row: Row): ReadonlyArray<readonly [name: string, text: string]> => {
  const entry = (name: string, value: unknown) =>
    value === undefined || value === null ? [] : [[visible(name), visibleLines(valueText(value))] as const]
  return [
    ...entry("start", time(row.start)),
    ...entry("duration", row.duration === null ? undefined : time(row.duration)),
    ...entry("status", row.status === "" ? undefined : row.status),
    ...(row.error === null ? [] : entry("error", failureLines(row.error).join("\n"))),
    ...(row.error?.stack === undefined ? [] : entry("stack", row.error.stack)),
    ...(row.error?.fields === undefined ? [] : entry("fields", row.error.fields)),
    ...Object.entries(row.details).flatMap(([name, value]) => entry(name, value)),
    ...entry("span", row.spanId),
    ...entry("parent span", row.parentSpanId)
  ]
}

const ticks = (total: number): string =>
  [0, 25, 50, 75, 100]
    .map(
      (at) =>
        `<text x="${at}%" y="80%" text-anchor="${at === 0 ? "start" : at === 100 ? "end" : "middle"}">${time((total * at) / 100)}</text>`
    )
    .join("")

const rowHtml = (row: Row, id: string, total: number, hasChildren: boolean, isFirst: boolean): string => {
  const error =
    row.error === null ? "" : `<span class="error">${escape(failureLines(row.error)[0]!.slice(0, 500))}</span>`
  return `<tr id="${id}" role="row" aria-level="${row.depth + 1}"${hasChildren ? ' aria-expanded="true"' : ""} tabindex="${isFirst ? 0 : -1}" class="${row.kind}${row.isFailed ? " failed" : ""}">
<th scope="row" role="rowheader" class="d${Math.min(row.depth, deepest)}"><span class="name-text">${escape(row.name)}</span>${error}</th>
<td role="gridcell">${bar(row, total)}</td>
<td role="gridcell" class="number">${time(row.start)}</td>
<td role="gridcell" class="number">${row.duration === null ? "" : time(row.duration)}</td>
<td role="gridcell">${escape(row.status)}</td>
</tr>`
}

const column = (name: string, title: string, isNumber = false) =>
  `<th scope="col" role="columnheader" class="${name}${isNumber ? " number" : ""}">${title}</th>`

export const waterfallPage = (traces: ReadonlyArray<Trace>): string => {
  const data: Record<string, ReadonlyArray<readonly [string, string]>> = {}
  let room = mostRows
  const parts = traces.map((trace, place) => {
    const rows = trace.rows.slice(0, room)
    room -= rows.length
    const body = rows.map((row, index) => {
      const id = `r${place}-${index}`
      data[id] = detailsOf(row)
      return rowHtml(row, id, trace.duration, (trace.rows[index + 1]?.depth ?? 0) > row.depth, index === 0)
    })
    const hidden = trace.rows.length - rows.length
    const title = escape(`Trace ${trace.traceId}`)
    return `${
      traces.length > 1
        ? `<h2>${title}</h2>\n${headLines(trace)
            .map((line) => `<p>${escape(line)}</p>`)
            .join("\n")}`
        : ""
    }
<div class="scroll"><table role="treegrid" class="waterfall" aria-label="${title}" aria-rowcount="${rows.length + 1}">
<thead><tr role="row">${column("name", "Name")}<th scope="col" role="columnheader"><span class="unseen">Time</span><svg aria-hidden="true">${ticks(trace.duration)}</svg></th>${column("start", "Start", true)}${column("duration", "Duration", true)}${column("status", "Status")}</tr></thead>
<tbody>
${body.join("\n")}
</tbody></table></div>
${hidden > 0 ? `<p>… and ${counted(hidden, "more row")}: --json has all of them</p>` : ""}`
  })
  const [first] = traces
  const keys =
    '<p class="quiet">Arrow keys move between rows and open or close what is below one, Enter shows the details of a row.</p>'
  return page({
    title: first !== undefined && traces.length === 1 ? `Trace ${first.traceId}` : counted(traces.length, "trace"),
    lines: first !== undefined && traces.length === 1 ? headLines(first) : [],
    body: `${keys}\n${parts.join("\n")}`,
    data
  })
}
