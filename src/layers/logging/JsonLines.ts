/** Lines of JSON to standard output or a file, each with a write of its own, or in batches. */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as LogSink from "../../LogSink.ts"
import { optional } from "../../internal/Settings.ts"
import * as Metrics from "../../Metrics.ts"
import { LineWriter } from "./LineWriter.ts"
import { onEnd } from "./ProcessEnd.ts"

export interface Options {
  /** `stdout`, `stderr`, or the name of a file to append to. Default `stdout`. */
  readonly to?: string | undefined
  /**
   * Characters that are collected before they are written; a request's end, `interval` and the end of the process write
   * them too. 0: every line by itself, so that a killed process loses none. Default 0.
   */
  readonly batch?: number | undefined
  /** After this long a line is written that waits for others. Default 100 milliseconds. */
  readonly interval?: Duration.Input | undefined
  /** The longest line, in bytes; longer ones are cut. At least 512. Default 16384. */
  readonly limit?: number | undefined
  /** Bytes that wait for a reader which takes none; lines beyond them are lost, and counted. Default 4 MiB. */
  readonly buffer?: number | undefined
  /** How long the end of a request waits for such a reader. Default 250 milliseconds. */
  readonly flushTimeout?: Duration.Input | undefined
}

const descriptors: Readonly<Record<string, number>> = { stdout: 1, stderr: 2 }
const leastLimit = 512

const check = (name: string, options: Options): Effect.Effect<void, LogSink.SinkInvalid> => {
  const { batch = 0, buffer = 1, limit = leastLimit } = options
  const refuse = (detail: string) => Effect.fail(new LogSink.SinkInvalid({ sink: name, detail }))
  if (!Number.isInteger(batch) || batch < 0) return refuse(`batch is ${batch}, and must be a number of characters`)
  if (!Number.isInteger(limit) || limit < leastLimit)
    return refuse(`limit is ${limit}, and must be ${leastLimit} bytes or more`)
  if (!Number.isInteger(buffer) || buffer < 0) return refuse(`buffer is ${buffer}, and must be a number of bytes`)
  return Effect.void
}

/** A sink of its own, until its scope closes. */
export const make = Effect.fnUntraced(function* (options: Options = {}) {
  const name = options.to ?? "stdout"
  yield* check(name, options)
  const timeout = Duration.toMillis(options.flushTimeout ?? "250 millis")
  const batch = options.batch ?? 0
  const open = () =>
    new LineWriter({
      to: descriptors[name] ?? name,
      batch,
      interval: Duration.toMillis(options.interval ?? "100 millis"),
      buffer: options.buffer ?? 4 * 1024 * 1024,
      onLost: Metrics.lose
    })
  const writer = yield* Effect.acquireRelease(
    Effect.try({
      try: open,
      catch: (error) => new LogSink.SinkInvalid({ sink: name, detail: (error as Error).message })
    }),
    (writer) => Effect.sync(() => writer.close())
  )
  /** Of each logger that stands on this sink. */
  const attached: Array<() => void> = []
  yield* Effect.acquireRelease(
    Effect.sync(() =>
      onEnd(() => {
        for (const last of attached) last()
        writer.last()
      })
    ),
    (remove) => Effect.sync(remove)
  )
  // By the clock of the machine: whoever tests with another one waits for nobody.
  const flush = Effect.callback<void>((resume) => {
    const done = () => {
      clearTimeout(timer)
      forget()
      resume(Effect.void)
    }
    let forget = () => {}
    const timer = setTimeout(() => {
      writer.giveUp()
      done()
    }, timeout)
    forget = writer.whenEmpty(done)
    return Effect.sync(() => {
      clearTimeout(timer)
      forget()
    })
  })
  return LogSink.make({
    name,
    limit: { size: options.limit ?? LogSink.defaultLimit.size, unit: "bytes" },
    write: (line) => writer.write(line),
    flush: Effect.suspend(() => (writer.isEmpty ? Effect.void : flush)),
    lost: () => writer.lost,
    attach: (last) => void attached.push(last)
  })
})

export const layer = (options: Options = {}): Layer.Layer<LogSink.LogSink, LogSink.SinkInvalid> =>
  Layer.effect(LogSink.LogSink, make(options))

const variable = (suffix: string) => `HOLDFAST_LOG_${suffix}`

/** The environment variable of each option. */
export const settings = {
  to: optional(Config.String(variable("TO"))),
  batch: optional(Config.Int(variable("BATCH"))),
  interval: optional(Config.Duration(variable("INTERVAL"))),
  limit: optional(Config.Int(variable("LIMIT"))),
  buffer: optional(Config.Int(variable("BUFFER"))),
  flushTimeout: optional(Config.Duration(variable("FLUSH_TIMEOUT")))
} satisfies { readonly [K in keyof Required<Options>]: Config.Config<Options[K]> }

/** From the environment (`HOLDFAST_LOG_TO`, …); what is given here goes first. */
export const layerConfig = (
  options: Options = {}
): Layer.Layer<LogSink.LogSink, LogSink.SinkInvalid | Config.ConfigError> =>
  Layer.unwrap(Effect.map(Config.all(settings), (found) => layer({ ...found, ...options })))
