/** Lines kept in memory, as the events that they are: for tests. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as LogEvent from "../../LogEvent.ts"
import * as LogLine from "../../LogLine.ts"
import * as LogSink from "../../LogSink.ts"

/** No event, or more than one, is as was asked for. */
export class NotCaptured extends Schema.TaggedError<NotCaptured>()("NotCaptured", {
  wanted: Schema.String,
  count: Schema.Int,
  lines: Schema.Array(Schema.String)
}) {
  override get message() {
    const found = this.lines.length === 0 ? "Nothing was logged" : `Logged were:\n${this.lines.join("\n")}`
    return `${this.count} events are ${this.wanted}. ${found}`
  }
}

/** Values that an event must have; of objects those that are named. */
export type Where<T extends LogEvent.Type> = { readonly [K in keyof LogEvent.Of<T>]?: unknown }

export class Capture extends Context.Service<
  Capture,
  {
    /** Lines as a file would have them. */
    readonly lines: Effect.Effect<ReadonlyArray<string>>
    readonly events: Effect.Effect<ReadonlyArray<LogEvent.LogEvent>>
    /** The events of a type that have these values. */
    readonly find: <const T extends LogEvent.Type>(
      type: T,
      where?: Where<T>
    ) => Effect.Effect<ReadonlyArray<LogEvent.Of<T>>>
    /** The one event of a type that has these values. */
    readonly one: <const T extends LogEvent.Type>(
      type: T,
      where?: Where<T>
    ) => Effect.Effect<LogEvent.Of<T>, NotCaptured>
    /** Fails where there is one. */
    readonly none: <const T extends LogEvent.Type>(type: T, where?: Where<T>) => Effect.Effect<void, NotCaptured>
    readonly clear: Effect.Effect<void>
  }
>()("holdfast/Capture") {}

const matches = (value: unknown, wanted: unknown): boolean => {
  if (wanted instanceof RegExp) return typeof value === "string" && wanted.test(value)
  if (typeof wanted !== "object" || wanted === null) return Object.is(value, wanted)
  if (typeof value !== "object" || value === null) return false
  return Object.entries(wanted).every(([key, own]) => matches((value as Readonly<Record<string, unknown>>)[key], own))
}

/** A sink and what looks at it. `limit`: bytes of a line. Default 16384. */
export const make = (limit: number = LogSink.defaultLimit.size) => {
  const kept: Array<string> = []
  const parse = (line: string): LogEvent.LogEvent => Result.getOrThrow(LogLine.parse(line))
  const found = <T extends LogEvent.Type>(type: T, where: Where<T> = {}) =>
    kept.map(parse).filter((event): event is LogEvent.Of<T> => event.type === type && matches(event, where))
  const wrong = (type: string, where: unknown, count: number) =>
    new NotCaptured({ wanted: `${type} with ${JSON.stringify(where ?? {})}`, count, lines: [...kept] })
  const sink = LogSink.make({
    name: "memory",
    limit: { size: limit, unit: "bytes" },
    write: (line) => void kept.push(line)
  })
  const capture = Capture.of({
    lines: Effect.sync(() => [...kept]),
    events: Effect.sync(() => kept.map(parse)),
    find: (type, where) => Effect.sync(() => found(type, where)),
    one: (type, where) =>
      Effect.suspend(() => {
        const all = found(type, where)
        return all.length === 1 ? Effect.succeed(all[0]!) : Effect.fail(wrong(type, where, all.length))
      }),
    none: (type, where) =>
      Effect.suspend(() => {
        const { length } = found(type, where)
        return length === 0 ? Effect.void : Effect.fail(wrong(type, where, length))
      }),
    clear: Effect.sync(() => void kept.splice(0))
  })
  return { capture, sink }
}

/** The sink, and `Capture` to look at what it took. */
export const layer: Layer.Layer<LogSink.LogSink | Capture> = Layer.effectContext(
  Effect.sync(() => {
    const { capture, sink } = make()
    return Context.make(Capture, capture).pipe(Context.add(LogSink.LogSink, sink))
  })
)
