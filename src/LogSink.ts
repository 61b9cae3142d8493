/** Where lines go. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Level } from "./LogEvent.ts"

export interface Sink {
  /** For people, as `stdout` or a file's name. */
  readonly name: string
  /** The longest line that is taken whole. */
  readonly limit: { readonly size: number; readonly unit: "bytes" | "characters" }
  /**
   * Takes a line, without its end. It neither waits nor calls back; what it throws is counted as a lost line. Lines
   * come out in the order in which they were taken.
   */
  readonly write: (line: string, level: Level) => void
  /** Ends when all lines are out, or after a bounded time without them. Repeatable, also at once. */
  readonly flush: Effect.Effect<void>
  /** Lines that were taken and are lost for good, so far. */
  readonly lost: () => number
  /** `last` writes what is kept back elsewhere: a sink that sees the process end calls it before its own last write. */
  readonly attach: (last: () => void) => void
}

/** Bytes of a line by default: what most collectors take. */
export const defaultLimit = { size: 16_384, unit: "bytes" } as const

/** A sink out of its parts; what is left out is as for one that keeps nothing back. */
export const make = (sink: Pick<Sink, "name" | "write"> & Partial<Sink>): Sink => ({
  limit: defaultLimit,
  flush: Effect.void,
  lost: () => 0,
  attach: () => {},
  ...sink
})

/**
 * Where lines go. `RequestLogger.layer` stands on one; another that is provided around `RequestLogger.withRequest` takes
 * the lines of that request, as the console of its execution does on Appwrite.
 */
export class LogSink extends Context.Service<LogSink, Sink>()("holdfast/LogSink") {}

/** A sink can't be opened, or an option of it can't be what it is. */
export class SinkInvalid extends Schema.TaggedError<SinkInvalid>()("SinkInvalid", {
  sink: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `Log lines can't go to ${this.sink}: ${this.detail}`
  }
}

/** Sees every line that is written, whatever sink takes it; undefined where nobody does. It may neither wait nor throw. */
export const LogTap: Context.Reference<((line: string, level: Level) => void) | undefined> = Context.Reference<
  ((line: string, level: Level) => void) | undefined
>("holdfast/LogTap", { defaultValue: () => undefined })
