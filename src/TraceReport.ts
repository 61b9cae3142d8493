/**
 * What a log tells, read back from its lines: one trace as a tree on an axis of time, or an overview of all requests.
 *
 *   lines ─ LogLine.parse ─▶ events ─┬─ assemble ───▶ Trace ────┬─▶ text for a terminal, a page, or JSON
 *                                    └─ Statistics ─▶ Overview ─┘
 *
 * All of it is computed from the events alone. Their order does not matter, and an event that is missing costs no more
 * than what it says. Names and messages may come from anywhere: neither text nor page lets them be more than text.
 */
import * as Schema from "effect/Schema"
import type { ArgumentUnclear } from "./internal/traces/Arguments.ts"

export type { Counts, Kind, Row, Trace } from "./internal/traces/Trace.ts"
export type { Group, Groups, Overview, Ranked } from "./internal/traces/Statistics.ts"
export type { Asked } from "./internal/traces/Arguments.ts"
export type { Options as TextOptions } from "./internal/traces/Waterfall.ts"
export { ArgumentUnclear, sort as sortArguments } from "./internal/traces/Arguments.ts"
export { assemble, assembleAll } from "./internal/traces/Assemble.ts"
export { overviewPage } from "./internal/traces/OverviewPage.ts"
export { overviewText } from "./internal/traces/OverviewText.ts"
export { Statistics } from "./internal/traces/Statistics.ts"
export { waterfall } from "./internal/traces/Waterfall.ts"
export { waterfallPage } from "./internal/traces/WaterfallPage.ts"

/** What was read. */
export interface Searched {
  /** `-` is standard input. */
  readonly files: ReadonlyArray<string>
  /** Unpacked. */
  readonly bytes: number
  readonly lines: number
  /** Otherwise the lines of each file's beginning were counted, and the rest is taken to be like them. */
  readonly linesAreExact: boolean
  /** Lines that are none of ours; in a search, among those that hold the id. */
  readonly skipped: number
  /** What else must be said: a file that was cut short, input that can't be read twice. */
  readonly notes: ReadonlyArray<string>
}

const mostNamed = 5

/** `a.log, b.log.gz: about 4,100,000 lines, 1,024 MB`. */
export const searchedText = ({ bytes, files, lines, linesAreExact }: Omit<Searched, "skipped" | "notes">): string => {
  const names = files.slice(0, mostNamed).map((file) => (file === "-" ? "standard input" : file))
  const more = files.length > mostNamed ? ` and ${files.length - mostNamed} more` : ""
  const size =
    bytes < 1e6 ? `${bytes.toLocaleString("en")} bytes` : `${Math.round(bytes / 1e6).toLocaleString("en")} MB`
  return `${names.join(", ")}${more}: ${linesAreExact ? "" : "about "}${lines.toLocaleString("en")} line${lines === 1 ? "" : "s"}, ${size}`
}

const upperCase = /^(?=.*[A-F])[0-9A-F]{32}$/

/** No line carries the id. */
export class TraceNotFound extends Schema.TaggedError<TraceNotFound>()("TraceNotFound", {
  id: Schema.String,
  files: Schema.Array(Schema.String),
  bytes: Schema.Number,
  lines: Schema.Number,
  linesAreExact: Schema.Boolean
}) {
  override get message() {
    const { bytes, files, lines, linesAreExact } = this
    const searched = searchedText({ bytes, files, lines, linesAreExact })
    const hint = upperCase.test(this.id) ? ". Trace ids are written in lower case" : ""
    return `no line has ${this.id} as its trace, correlation, request or execution id${hint}. Searched: ${searched}`
  }
}
/** A file or what is piped in can't be read as a log. */
export class LogUnreadable extends Schema.TaggedError<LogUnreadable>()("LogUnreadable", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.file === "-" ? "standard input" : this.file} can't be read: ${this.detail}`
  }
}
/** There is nothing to read. */
export class InputMissing extends Schema.TaggedError<InputMissing>()("InputMissing", {}) {
  override get message() {
    return "no file is given, and nothing is piped in. Give the files of the log, or - to type or paste lines"
  }
}
/** The page could not be written. */
export class PageNotWritten extends Schema.TaggedError<PageNotWritten>()("PageNotWritten", {
  file: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.file} can't be written: ${this.detail}`
  }
}

/** All that a look into a log can end in. */
export type TraceError = ArgumentUnclear | TraceNotFound | LogUnreadable | InputMissing | PageNotWritten
