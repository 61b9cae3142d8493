/** The overview as a page: the tables of the terminal, whole. */
import { overviewLines, tableTitles } from "./OverviewText.ts"
import { escape, page } from "./Page.ts"
import type { Groups, Overview, Ranked } from "./Statistics.ts"
import { time } from "./Text.ts"

const table = (
  title: string,
  heads: ReadonlyArray<readonly [title: string, isNumber: boolean]>,
  rows: ReadonlyArray<string>
): string =>
  rows.length === 0
    ? ""
    : `<div class="scroll"><table><caption>${title}</caption>
<thead><tr>${heads.map(([head, isNumber]) => `<th scope="col"${isNumber ? ' class="number"' : ""}>${head}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody></table></div>`

const number = (text: string) => `<td class="number">${text}</td>`

const rankedTable = (title: string, ranked: ReadonlyArray<Ranked>): string =>
  table(
    title,
    [
      ["Name", false],
      ["Duration", true],
      ["Status", false],
      ["At", false],
      ["Trace", false]
    ],
    ranked.map(
      ({ duration, error, name, status, timestamp, traceId }) =>
        `<tr><th scope="row">${escape(name)}${error === null ? "" : `<span class="error">${escape(error)}</span>`}</th>${number(time(duration))}<td>${escape(status)}</td><td>${escape(timestamp)}</td><td><code>${escape(traceId ?? "")}</code></td></tr>`
    )
  )

const groupTable = (title: string, { groups, other }: Groups): string =>
  table(
    title,
    [["Name", false], ...["Count", "Failed", "p50", "p90", "p99", "max"].map((head) => [head, true] as const)],
    [...groups, ...(other === null ? [] : [other])].map(
      ({ count, failed, max, name, p50, p90, p99 }) =>
        `<tr><th scope="row">${escape(name)}</th>${[count, failed].map((n) => number(n.toLocaleString("en"))).join("")}${[p50, p90, p99, max].map((n) => number(time(n))).join("")}</tr>`
    )
  )

export const overviewPage = (overview: Overview): string =>
  page({
    title: "Requests in the log",
    lines: overviewLines(overview),
    body: [
      rankedTable(tableTitles.slowestRequests, overview.slowestRequests),
      rankedTable(tableTitles.latestFailures, overview.latestFailures),
      rankedTable(tableTitles.slowestWork, overview.slowestWork),
      groupTable(tableTitles.byRequest, overview.byRequest),
      groupTable(tableTitles.byOperation, overview.byOperation),
      groupTable(tableTitles.byService, overview.byService)
    ].join("\n"),
    data: {}
  })
