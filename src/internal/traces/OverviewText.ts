/** The overview on a terminal. */
import type { Groups, Overview, Ranked } from "./Statistics.ts"
import { counted, fit, padEnd, padStart, time, visible, widthOf, wrap } from "./Text.ts"
import type { Options } from "./Waterfall.ts"

/** Groups of each table that are shown. */
const mostShown = 15

interface Column {
  readonly title: string
  readonly isNumber: boolean
}

/** The first column takes the room that the others leave. */
const table = (
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<{ readonly cells: ReadonlyArray<string>; readonly isFailed: boolean }>,
  { paint, width }: Options
): ReadonlyArray<string> => {
  const widths = columns.map(({ title }, index) =>
    rows.reduce((most, { cells }) => Math.max(most, widthOf(cells[index] ?? "")), title.length)
  )
  const others = widths.slice(1).reduce((sum, own) => sum + own + 2, 0)
  widths[0] = Math.min(widths[0] ?? 0, Math.max(12, width - others))
  const line = (cells: ReadonlyArray<string>) =>
    fit(
      cells
        .map((cell, index) => {
          const fitted = fit(cell, widths[index]!)
          return columns[index]!.isNumber ? padStart(fitted, widths[index]!) : padEnd(fitted, widths[index]!)
        })
        .join("  ")
        .trimEnd(),
      width
    )
  return [
    paint("dim", line(columns.map(({ title }) => title))),
    ...rows.map(({ cells, isFailed }) => (isFailed ? paint("red", line(cells)) : line(cells)))
  ]
}

const text = (title: string): Column => ({ title, isNumber: false })
const number = (title: string): Column => ({ title, isNumber: true })

const groupTable = (title: string, { groups, other }: Groups, options: Options): ReadonlyArray<string> => {
  if (groups.length === 0) return []
  const shown = [...groups.slice(0, mostShown), ...(other === null ? [] : [other])]
  const rest = groups.length - Math.min(groups.length, mostShown)
  return [
    "",
    options.paint("bold", fit(title, options.width)),
    ...table(
      [text("name"), number("count"), number("failed"), ...["p50", "p90", "p99", "max"].map(number)],
      shown.map(({ count, failed, max, name, p50, p90, p99 }) => ({
        cells: [
          visible(name),
          ...[count, failed].map((n) => n.toLocaleString("en")),
          ...[p50, p90, p99, max].map(time)
        ],
        isFailed: false
      })),
      options
    ),
    ...(rest > 0 ? [fit(`… and ${counted(rest, "more group")}`, options.width)] : [])
  ]
}

const rankedTable = (title: string, ranked: ReadonlyArray<Ranked>, options: Options): ReadonlyArray<string> =>
  ranked.length === 0
    ? []
    : [
        "",
        options.paint("bold", fit(title, options.width)),
        ...table(
          [text("name"), number("duration"), text("status"), text("trace")],
          ranked.map(({ duration, name, status, traceId }) => ({
            cells: [visible(name), time(duration), status, visible(traceId ?? "")],
            isFailed: false
          })),
          options
        )
      ]

/** With what they failed in a line below each. */
const failureTable = (title: string, ranked: ReadonlyArray<Ranked>, options: Options): ReadonlyArray<string> => {
  const [heading, name, head, ...lines] = rankedTable(title, ranked, options)
  if (heading === undefined || name === undefined || head === undefined) return []
  const told = lines.flatMap((line, index) => {
    const { error } = ranked[index]!
    const below = error === null ? [] : wrap(visible(error), options.width - 4, 3).map((part) => `  ${part}`)
    return [line, ...below.map((part) => options.paint("red", part))]
  })
  return [heading, name, head, ...told]
}

/** What stands above the tables, in plain words. */
export const overviewLines = ({ events, ...overview }: Overview): ReadonlyArray<string> => {
  const ended = events.REQUEST_COMPLETE + events.REQUEST_ERROR
  return [
    overview.from === null ? "no events" : `${overview.from} to ${overview.until}`,
    [
      counted(ended, "request"),
      `${overview.failedRequests.toLocaleString("en")} failed`,
      counted(overview.coldStarts, "cold start"),
      counted(overview.replays, "replay"),
      ...(overview.unfinished > 0 ? [`${overview.unfinished.toLocaleString("en")} without an end`] : [])
    ].join(", "),
    [
      counted(events.DATABASE_OPERATION, "database operation"),
      counted(events.EXTERNAL_CALL, "external call"),
      counted(events.LOG, "log line")
    ].join(", "),
    ...(overview.lostLines > 0 ? [`${counted(overview.lostLines, "line")} lost by their sinks`] : [])
  ]
}

export const tableTitles = {
  slowestRequests: "Slowest requests",
  latestFailures: "Latest failed requests",
  slowestWork: "Slowest database operations and external calls",
  byRequest: "Requests",
  byOperation: "Database operations",
  byService: "External calls by service"
} as const

export const overviewText = (overview: Overview, given: Options): string => {
  const options = { ...given, width: Math.max(20, given.width) }
  return [
    ...overviewLines(overview).flatMap((line) => wrap(line, options.width, 3)),
    ...rankedTable(tableTitles.slowestRequests, overview.slowestRequests, options),
    ...failureTable(tableTitles.latestFailures, overview.latestFailures, options),
    ...rankedTable(tableTitles.slowestWork, overview.slowestWork, options),
    ...groupTable(tableTitles.byRequest, overview.byRequest, options),
    ...groupTable(tableTitles.byOperation, overview.byOperation, options),
    ...groupTable(tableTitles.byService, overview.byService, options)
  ].join("\n")
}
