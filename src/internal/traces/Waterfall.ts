/** A trace on a terminal: a tree, and beside it each piece of work as a bar on the axis of time. */
import type { Failure } from "../../LogEvent.ts"
import { counted, fit, padEnd, padStart, type Paint, type Style, time, visible, widthOf, wrap } from "./Text.ts"
import type { Row, Trace } from "./Trace.ts"

export interface Options {
  /** Columns of the terminal. */
  readonly width: number
  readonly paint: Paint
  /** Rows that are shown at most. Default 200. */
  readonly mostRows?: number | undefined
}

const defaultRows = 200
/** Failures that are told of rows that are not shown. */
const mostHiddenFailures = 20
const deepest = 8
/** Below so many columns there are no bars. */
const narrow = 56
const narrowest = 20

const styles = {
  request: "cyan",
  missing: "dim",
  database: "blue",
  call: "magenta",
  log: "dim"
} as const satisfies Record<Row["kind"], Style>

/** What stands before each name. From the last row up, since a branch ends where nothing of its depth follows. */
const branches = (rows: ReadonlyArray<Row>): ReadonlyArray<string> => {
  const prefixes = new Array<string>(rows.length).fill("")
  /** Whether a row of this depth follows below the same parent. */
  const open: Array<boolean> = []
  for (let index = rows.length - 1; index >= 0; index--) {
    const depth = Math.min(rows[index]!.depth, deepest)
    if (depth > 0) {
      const lines = Array.from({ length: depth - 1 }, (_, level) => (open[level + 1] === true ? "│  " : "   "))
      prefixes[index] = `${lines.join("")}${open[depth] === true ? "├─ " : "└─ "}`
    }
    open.length = depth + 1
    open[depth] = true
  }
  return prefixes
}

/** Where a bar begins and ends, in columns. */
export const cells = (row: Row, total: number, width: number): readonly [from: number, to: number] => {
  const scale = total > 0 ? width / total : 0
  const from = Math.min(width - 1, Math.max(0, Math.floor(row.start * scale)))
  const end = row.duration === null ? row.start : row.start + row.duration
  return [from, Math.min(width, Math.max(from + 1, Math.round(end * scale)))]
}

const bar = (row: Row, total: number, width: number): string => {
  const [from, to] = cells(row, total, width)
  const isOpen = row.kind === "request" && row.duration === null
  const drawn = isOpen ? "░".repeat(width - from) : row.duration === null ? "·" : "█".repeat(to - from)
  return " ".repeat(from) + drawn
}

/** Tag and message, then what led to it, then others that came with it. */
export const failureLines = (failure: Failure): ReadonlyArray<string> => [
  `${failure.tag}: ${failure.message}`,
  ...(failure.causes ?? []).map(({ message, tag }) => `caused by ${tag}: ${message}`),
  ...(failure.others ?? []).flatMap((other) => failureLines(other).map((line) => `also ${line}`))
]

const failureText = (failure: Failure, indent: number, { paint, width }: Options): ReadonlyArray<string> =>
  failureLines(failure).flatMap((line, index) =>
    wrap(visible(line), Math.max(1, width - indent - 2), 5).map((part, piece) =>
      paint("red", `${" ".repeat(indent)}${piece > 0 ? "  " : index === 0 ? "✗ " : "← "}${part}`)
    )
  )

const list = (label: string, values: ReadonlyArray<string>): ReadonlyArray<string> =>
  values.length === 0 ? [] : [`${label} ${visible(values.join(", "))}`]

/** What stands above the rows, in plain words. */
export const headLines = ({ counts, duration, startedAt, ...trace }: Trace): ReadonlyArray<string> => [
  [
    startedAt ?? "at an unknown time",
    time(duration),
    counted(counts.requests, "request"),
    ...(counts.databaseOperations > 0 ? [counted(counts.databaseOperations, "database operation")] : []),
    ...(counts.externalCalls > 0 ? [counted(counts.externalCalls, "external call")] : []),
    ...(counts.logs > 0 ? [counted(counts.logs, "log line")] : []),
    ...(counts.failed > 0 ? [`${counts.failed.toLocaleString("en")} failed`] : [])
  ].join(", "),
  ...list("function", trace.functions),
  // Where the caller gives none it is the trace id.
  ...list(
    "correlation",
    trace.correlationIds.filter((id) => id !== trace.traceId)
  ),
  ...list("request", trace.requestIds),
  ...list("execution", trace.executionIds)
]

export const waterfall = (trace: Trace, options: Options): string => {
  const { mostRows = defaultRows, paint } = options
  const width = Math.max(narrowest, options.width)
  const rows = trace.rows.slice(0, mostRows)
  const prefixes = branches(trace.rows)
  const names = rows.map((row, index) => `${prefixes[index]}${visible(row.name)}`)
  const starts = rows.map(({ start }) => time(start))
  const durations = rows.map(({ duration }) => (duration === null ? "" : time(duration)))
  const widest = (cells: ReadonlyArray<string>, least: number) =>
    cells.reduce((most, cell) => Math.max(most, widthOf(cell)), least)
  const columns = {
    start: widest(starts, 5),
    duration: widest(durations, 8),
    status: widest(
      rows.map(({ status }) => status),
      6
    )
  }
  const room = width - columns.start - columns.duration - columns.status - 3
  const hasBars = width >= narrow
  const nameWidth = hasBars
    ? Math.min(widest(names, 4), Math.max(12, Math.floor(room * 0.55)))
    : Math.max(1, Math.min(widest(names, 4), room))
  const barWidth = room - nameWidth - 1
  const line = (name: string, drawn: string, start: string, duration: string, status: string) => [
    padEnd(name, nameWidth),
    ...(hasBars ? [padEnd(drawn, barWidth)] : []),
    padStart(start, columns.start),
    padStart(duration, columns.duration),
    status
  ]

  const head = [
    paint("bold", fit(`Trace ${visible(trace.traceId)}`, width)),
    ...headLines(trace).flatMap((words) => wrap(words, width, 3)),
    "",
    paint("dim", fit(line("", "0", "start", "duration", "status").join(" "), width))
  ]
  const body = rows.flatMap((row, index) => {
    const cells = line(
      fit(names[index]!, nameWidth),
      bar(row, trace.duration, Math.max(1, barWidth)),
      starts[index]!,
      durations[index]!,
      row.status
    )
    const style = row.isFailed ? "red" : styles[row.kind]
    // On a very narrow terminal the last columns go; colours come after that, for they have no width.
    const fitted = fit(cells.join(" ").trimEnd(), width)
    const painted =
      row.isFailed || fitted !== cells.join(" ").trimEnd()
        ? paint(row.isFailed ? "red" : style, fitted)
        : cells
            .map((cell, column) => (hasBars && column === 1 ? paint(style, cell) : cell))
            .join(" ")
            .trimEnd()
    const indent = Math.min(widthOf(prefixes[index]!), Math.floor(width / 2))
    return row.error === null ? [painted] : [painted, ...failureText(row.error, indent, { ...options, width })]
  })
  return [...head, ...body, ...cut(trace, rows.length, { ...options, width })].join("\n")
}

/** What is not shown: how much, and what failed in it. */
const cut = (trace: Trace, shown: number, options: Options): ReadonlyArray<string> => {
  const hidden = trace.rows.slice(shown)
  if (hidden.length === 0) return []
  const failed = hidden.filter(({ isFailed }) => isFailed)
  const words = `… and ${counted(hidden.length, "more row")}: --html OUT or --json has all of them`
  return [
    ...wrap(words, options.width, 3),
    ...(failed.length === 0
      ? []
      : wrap(`${counted(failed.length, "of them failed", "of them failed")}:`, options.width, 2)),
    ...failed
      .slice(0, mostHiddenFailures)
      .flatMap((row) => [
        options.paint("red", fit(`${visible(row.name)} at ${time(row.start)}`, options.width)),
        ...(row.error === null ? [] : failureText(row.error, 2, options))
      ]),
    ...(failed.length > mostHiddenFailures
      ? [`… and ${(failed.length - mostHiddenFailures).toLocaleString("en")} more`]
      : [])
  ]
}
