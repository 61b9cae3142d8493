/**
 * The log of an Appwrite execution: `context.log` and `context.error`. Standard output never reaches Appwrite.
 *
 * A call is cut at 8,000 characters and costs two files opened and closed: lines go in chunks of whole lines, each below
 * that. What is logged after the handler has answered is dropped by the runtime, so the end of the request writes all.
 *
 * Source: openruntimes/executor and its Node server, as design and tests read them.
 */
import * as Effect from "effect/Effect"
import * as LogSink from "../../LogSink.ts"
import * as Metrics from "../../Metrics.ts"

/** What a function finds in its context, as far as it is used here. */
export interface Context {
  readonly log: (message: string) => void
  readonly error: (message: string) => void
}

export interface Options {
  /** Characters of one call, and of the longest line. From 512 to 7900. Default 7900. */
  readonly chunk?: number | undefined
  /** Milliseconds after which lines are written that wait for others: a timeout loses what waits. Default 250. */
  readonly interval?: number | undefined
}

const most = 7900
const least = 512

/** A sink for one execution. Lines of errors go to `error`, the others to `log`. */
export const sink = (context: Context, options: Options = {}): LogSink.Sink => {
  const size = Math.min(most, Math.max(least, Math.floor(options.chunk ?? most) || most))
  const chunks = { log: { text: "", lines: 0 }, error: { text: "", lines: 0 } }
  let lost = 0
  let timer: NodeJS.Timeout | undefined

  const send = (to: "log" | "error") => {
    const { lines, text } = chunks[to]
    if (lines === 0) return
    chunks[to] = { text: "", lines: 0 }
    try {
      context[to](text)
    } catch {
      lost += lines
      Metrics.lose(lines)
    }
  }
  const sendAll = () => {
    clearTimeout(timer)
    timer = undefined
    send("log")
    send("error")
  }
  return LogSink.make({
    name: "the execution's log",
    limit: { size, unit: "characters" },
    write: (line, level) => {
      const to = level === "error" ? "error" : "log"
      if (chunks[to].text.length + 1 + line.length > size) send(to)
      const chunk = chunks[to]
      chunk.text += chunk.lines++ === 0 ? line : `\n${line}`
      timer ??= setTimeout(sendAll, options.interval ?? 250).unref()
    },
    flush: Effect.sync(sendAll),
    lost: () => lost
  })
}

/**
 * Runs a request with its lines in the log of its execution:
 *
 *   handler(HttpMessage.fromAppwrite(context.req)).pipe(AppwriteConsole.provide(context))
 */
export const provide =
  (context: Context, options?: Options) =>
  <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, LogSink.LogSink>> =>
    Effect.suspend(() => Effect.provideService(effect, LogSink.LogSink, sink(context, options)))
