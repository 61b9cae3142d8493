/** The service under all lines: levels, redaction, sampling, and the sink that takes them. */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as LogEvent from "../../LogEvent.ts"
import { LogSink, LogTap, type Sink } from "../../LogSink.ts"
import * as Metrics from "../../Metrics.ts"
import * as Redaction from "../../Redaction.ts"
import * as Sampling from "../../Sampling.ts"
import { Ids } from "./Ids.ts"
import * as Redactor from "./Redactor.ts"
import { Serializer } from "./Serializer.ts"
import type { State } from "./State.ts"

/** An option of the logger can't be what it is. */
export class LogOptionsInvalid extends Schema.TaggedError<LogOptionsInvalid>()("LogOptionsInvalid", {
  option: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `The option ${this.option} of the request logger: ${this.detail}`
  }
}

export interface Options {
  /** Lines below it are not written. `none`: no line at all. Default `info`. */
  readonly level?: LogEvent.MinimumLevel | undefined
  /** Which requests are logged. Default all. */
  readonly sampling?: Sampling.Options | undefined
  /** What is hidden. Default all that the rules find. */
  readonly redaction?: Redaction.Options | undefined
  /**
   * Users and e-mail addresses are hashed under it. Default `HOLDFAST_SECRET`; without that one that this process draws,
   * so that hashes of two processes differ.
   */
  readonly secret?: Redacted.Redacted | undefined
}

export class RequestLogger extends Context.Service<
  RequestLogger,
  {
    readonly sink: Sink
    readonly level: LogEvent.MinimumLevel
    readonly sampling: Sampling.Resolved
    /** Headers of requests that are logged, in lower case. */
    readonly headers: ReadonlySet<string>
    readonly redactor: Redactor.Redactor
    readonly ip: "short" | "full" | "none"
    /** Whether lines of that level are written. */
    readonly takes: (level: LogEvent.Level) => boolean
    /** Writes an event. It neither waits nor fails. */
    readonly emit: (state: State | undefined, level: LogEvent.Level, event: object) => void
    /** Members of every line of a request, as they stand in it. */
    readonly tail: (fields: Readonly<Record<string, unknown>>) => string
    /** Gives the lines that waited to the sink, or drops them. */
    readonly release: (state: State, write: boolean) => void
    /** True for the first request of this process alone. */
    readonly isColdStart: () => boolean
    /** Lines that no sink has taken. */
    readonly lost: () => number
    /** Requests that have not ended: what waits of them goes out at a crash. */
    readonly open: Set<State>
  }
>()("holdfast/RequestLogger") {}

const secretSetting = "HOLDFAST_SECRET"

/** The secret, and whether it was drawn. */
const secretOf = Effect.fnUntraced(function* (given: Redacted.Redacted | undefined) {
  if (given !== undefined) return { secret: Redacted.value(given), drawn: false }
  const found = yield* Effect.orElseSucceed(Config.withDefault(Config.Redacted(secretSetting), Redacted.make("")), () =>
    Redacted.make("")
  )
  const secret = Redacted.value(found)
  if (secret !== "") return { secret, drawn: false }
  const ids = yield* Ids
  return { secret: ids.traceId(), drawn: true }
})

const refuse = (option: string, detail: string) => Effect.fail(new LogOptionsInvalid({ option, detail }))

export const make = Effect.fnUntraced(function* (options: Options) {
  const sink = yield* LogSink
  const tap = yield* LogTap
  const level = options.level ?? "info"
  if (!(level in LogEvent.levels))
    return yield* refuse("level", `${JSON.stringify(level)} is none of ${Object.keys(LogEvent.levels).join(", ")}`)
  const sampling = options.sampling ?? {}
  const problem = Sampling.problem(sampling)
  if (problem !== undefined) return yield* refuse(problem.option, problem.detail)
  const redaction = options.redaction ?? {}
  const ip = redaction.ip ?? "short"
  if (!["short", "full", "none"].includes(ip))
    return yield* refuse("redaction.ip", `${JSON.stringify(ip)} is none of short, full, none`)
  const wrong = Redactor.problem(redaction)
  if (wrong !== undefined) return yield* refuse(`redaction.${wrong.option}`, wrong.detail)
  if (options.secret !== undefined && !Redacted.isRedacted(options.secret))
    return yield* refuse("secret", "it must be wrapped, so that nothing prints it: Redacted.make(secret)")
  const { drawn, secret } = yield* secretOf(options.secret)
  const made = Redactor.make(redaction, secret)
  if (Result.isFailure(made)) return yield* refuse("redaction.paths", made.failure)
  const redactor = made.success
  const serializer = new Serializer(redactor.settings)
  const least = LogEvent.levels[level]
  const open = new Set<State>()
  let failed = 0
  let isCold = true

  const lose = (): void => {
    failed++
    Metrics.lose(1)
  }
  const give = (to: Sink, line: string, own: LogEvent.Level): void => {
    try {
      to.write(line, own)
      tap?.(line, own)
    } catch {
      lose()
    }
  }
  const logger = RequestLogger.of({
    sink,
    level,
    sampling: Sampling.resolve(sampling),
    headers: new Set((redaction.headers ?? Redaction.defaultHeaders).map((name) => name.toLowerCase())),
    redactor,
    ip,
    open,
    takes: (own) => LogEvent.levels[own] >= least,
    emit: (state, own, event) => {
      if (LogEvent.levels[own] < least) return
      const to = state === undefined ? sink : state.sink
      let text: string
      try {
        text = serializer.line(event as Readonly<Record<string, unknown>>, state?.tail ?? "", to.limit)
      } catch {
        // Whatever a value has done: its line is lost, and its request goes on.
        return lose()
      }
      if (state === undefined) return give(to, text, own)
      // A late line of a request that was left out.
      if (state.isLeftOut && own !== "error") return undefined
      if (own === "error") state.failed = true
      if (state.kept === undefined) return give(to, text, own)
      state.kept.push([text, own])
      if (state.kept.length > logger.sampling.keptLines) {
        // Its first line says what it was.
        state.kept.splice(1, 1)
        state.dropped++
      }
    },
    tail: (fields) => serializer.members(fields),
    release: (state, write) => {
      const { kept } = state
      state.kept = undefined
      state.isLeftOut = !write
      if (write) for (const [line, own] of kept ?? []) give(state.sink, line, own)
    },
    isColdStart: () => {
      const was = isCold
      isCold = false
      return was
    },
    lost: () => failed + lostBy(sink)
  })
  sink.attach(() => {
    for (const state of open) logger.release(state, true)
  })
  if (drawn && logger.takes("warn")) yield* sayDrawn(logger)
  return logger
})

/** A sink of anybody's may throw here as well. */
export const lostBy = (sink: Sink): number => {
  try {
    return sink.lost()
  } catch {
    return 0
  }
}

const sayDrawn = Effect.fnUntraced(function* (logger: RequestLogger["Service"]) {
  const now = yield* Effect.clockWith((clock) => Effect.succeed(clock.currentTimeMillisUnsafe()))
  logger.emit(undefined, "warn", {
    type: "LOG",
    traceId: null,
    message: `${secretSetting} is not set: hashes of users are of this process alone. Set it to the same 32 bytes or more everywhere`,
    timestamp: new Date(now).toISOString(),
    level: "warn"
  } satisfies LogEvent.Of<"LOG">)
})
