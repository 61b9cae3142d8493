/** The viewer of the log: chooses files and an id, and shows the waterfall of a trace or the overview of all requests. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { existsSync, statSync } from "node:fs"
import { resolve } from "node:path"
import * as LogFiles from "../../layers/logging/LogFiles.ts"
import * as AtomicFile from "../../layers/vendors/AtomicFile.ts"
import * as TraceReport from "../../TraceReport.ts"
import * as Flags from "../flags.ts"
import * as Launch from "../launch.ts"
import * as Output from "../output.ts"
import { version } from "../version.ts"

const parameters = {
  words: Argument.String("ID or FILE").pipe(
    Argument.withDescription(
      "Files of the log, plain or gzip; - or none is standard input. What is no file is the id: of a trace, a correlation, a request or an execution"
    ),
    Argument.variadic()
  ),
  html: Flag.String("html").pipe(
    Flag.withDescription("Write a page that stands by itself instead"),
    Flag.withMetavar("OUT"),
    Flag.optional
  ),
  json: Flags.json
} as const

/** What is shown, before it is known where. */
interface Report {
  readonly text: () => string
  readonly page: () => string
  readonly json: { readonly [key: string]: unknown }
  readonly searched: TraceReport.Searched
}

const textOptions = (): TraceReport.TextOptions => ({
  width: process.stdout.columns ?? 80,
  paint: (style, text) => Output.styled(style, text)
})

const traces = Effect.fnUntraced(function* (id: string, files: ReadonlyArray<string>) {
  const { events, left, moreTraces, searched } = yield* LogFiles.find(id, files)
  const found = TraceReport.assembleAll(events)
  const notes = [
    ...searched.notes,
    ...(left > 0
      ? [`${Output.counted(left, "event")} more than ${events.length.toLocaleString("en")} are not shown`]
      : []),
    ...(moreTraces > 0 ? [`${Output.counted(moreTraces, "more trace")} with this id not shown`] : [])
  ]
  const report: Report = {
    text: () => found.map((trace) => TraceReport.waterfall(trace, textOptions())).join("\n\n"),
    page: () => TraceReport.waterfallPage(found),
    json: { id, traces: found },
    searched: { ...searched, notes }
  }
  return report
})

const overview = (files: ReadonlyArray<string>) =>
  Effect.map(LogFiles.survey(files), ({ overview, searched }): Report => ({
    text: () => TraceReport.overviewText(overview, textOptions()),
    page: () => TraceReport.overviewPage(overview),
    json: { overview },
    searched
  }))

/** Whether both names are of one file, that there is. */
const isSameFile = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((file) => statSync(file, { throwIfNoEntry: false }))
  return a !== undefined && b !== undefined && a.isFile() && a.dev === b.dev && a.ino === b.ino
}

const run = Effect.fnUntraced(function* (words: ReadonlyArray<string>, html: Option.Option<string>) {
  const { files: named, id } = yield* Effect.fromResult(TraceReport.sortArguments(words, existsSync))
  if (named.length === 0 && process.stdin.isTTY) return yield* new TraceReport.InputMissing()
  const files = named.length === 0 ? ["-"] : named
  if (Option.isSome(html) && named.some((file) => isSameFile(file, html.value)))
    return yield* new TraceReport.PageNotWritten({
      file: html.value,
      detail: "it is one of the logs that are read. Choose another name"
    })
  const report = yield* id === undefined ? overview(files) : traces(id, files)
  if (Option.isSome(html)) {
    const file = resolve(html.value)
    yield* Effect.mapError(
      AtomicFile.write(file, report.page()),
      ({ message }) => new TraceReport.PageNotWritten({ file, detail: message })
    )
  }
  return report
})

/** What was passed over, at the end, where it does not disturb what is read from standard output. */
const remark = ({ notes, skipped }: TraceReport.Searched) =>
  Effect.forEach(
    [
      ...notes,
      ...(skipped > 0
        ? [`skipped ${Output.counted(skipped, "line")} that ${skipped === 1 ? "is" : "are"} no line of holdfast's log`]
        : [])
    ],
    (note) => Console.error(note),
    { discard: true }
  )

const command = Command.make(
  "trace",
  parameters,
  Effect.fnUntraced(function* ({ html, json, words }) {
    let searched: TraceReport.Searched | undefined
    const answer = run(words, html).pipe(
      Effect.interruptible,
      Effect.map((report): Output.Answer => {
        ;({ searched } = report)
        return {
          text: Option.match(html, { onNone: report.text, onSome: (file) => `wrote ${file}` }),
          json: { success: true, ...report.json, searched: report.searched, html: Option.getOrNull(html) },
          code: 0
        }
      })
    )
    yield* Output.run("trace", json, answer)
    if (searched !== undefined) yield* remark(searched)
  })
).pipe(
  Command.withDescription("Show one trace of the log as a waterfall, or an overview of all requests"),
  Command.withExamples([
    { command: "trace 4bf92f3577b34da6a3ce929d0e0e4736 app.log app.log.1.gz", description: "One trace" },
    { command: "trace order-4711 app.log --html trace.html", description: "All traces of a correlation, as a page" },
    { command: "trace app.log", description: "The slowest and the failed requests, percentiles" }
  ])
)

Launch.launch(command.pipe(Command.run({ version }), Effect.provide(Launch.presenter)), 130)
