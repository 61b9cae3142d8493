/** What every sink of the log promises. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as LogSink from "holdfast/LogSink"

export interface Subject {
  readonly sink: LogSink.Sink
  /** The lines that came out, in order. */
  readonly read: Effect.Effect<ReadonlyArray<string>>
  /** From now on nothing comes out any more, where there is a way to bring that about. */
  readonly breakDown?: Effect.Effect<void>
}

const line = (index: number, width = 20) => JSON.stringify({ type: "LOG", index, text: "é".repeat(width) })

export const contract = (name: string, subject: Effect.Effect<Subject, unknown, Scope.Scope>) =>
  describe(`LogSink on ${name}`, () => {
    const promise = (title: string, body: (subject: Subject) => Effect.Effect<void>) =>
      it.live(title, () => Effect.scoped(Effect.flatMap(Effect.orDie(subject), body)))

    promise("has every line after a flush, in order and whole", ({ read, sink }) =>
      Effect.gen(function* () {
        const lines = Array.from({ length: 500 }, (_, index) => line(index, index % 50))
        for (const one of lines) sink.write(one, "info")
        yield* sink.flush
        assert.deepStrictEqual(yield* read, lines)
        assert.strictEqual(sink.lost(), 0)
      })
    )

    promise("takes a line as long as its limit", ({ read, sink }) =>
      Effect.gen(function* () {
        const longest = "x".repeat(sink.limit.size)
        sink.write(line(1), "info")
        sink.write(longest, "info")
        sink.write(line(2), "info")
        yield* sink.flush
        assert.deepStrictEqual(yield* read, [line(1), longest, line(2)])
      })
    )

    promise("is flushed again and again, and at once", ({ read, sink }) =>
      Effect.gen(function* () {
        yield* sink.flush
        sink.write(line(1), "info")
        yield* Effect.all([sink.flush, sink.flush, sink.flush], { concurrency: "unbounded" })
        sink.write(line(2), "error")
        yield* sink.flush
        assert.deepStrictEqual((yield* read).toSorted(), [line(1), line(2)])
      })
    )

    promise("counts what it loses, and fails nobody", ({ breakDown, read, sink }) =>
      Effect.gen(function* () {
        sink.write(line(0), "info")
        yield* sink.flush
        if (breakDown === undefined) return
        yield* breakDown
        let thrown = 0
        for (let index = 0; index < 10; index++)
          try {
            sink.write(line(index), "info")
          } catch {
            thrown++
          }
        yield* sink.flush
        assert.strictEqual(thrown + sink.lost(), 10)
        assert.strictEqual((yield* read).length, 1)
      })
    )
  })
