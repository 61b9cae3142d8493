import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  completes,
  hour,
  known,
  lease,
  margin,
  own,
  type Promised,
  request,
  short,
  tagged,
  text,
  type Traits,
  waits
} from "./support.ts"

export const clockSkew = (promise: Promised, { clock: trait }: Traits): void => {
  /** Two clocks that are the margin apart; where a server has one of its own, it lies between them. */
  const skews = [
    ["the owner's is ahead", margin / 2, -margin / 2],
    ["the stranger's is ahead", -margin / 2, margin / 2]
  ] as const

  for (const [words, first, second] of skews) {
    promise(
      `clocks that differ by the margin, ${words}: nobody takes over while the owner counts on its lease`,
      Effect.fnUntraced(function* ({ advance, clock, process }) {
        const [one, other] = [yield* process({ skew: first }), yield* process({ skew: second })]
        const ownership = yield* own(one)
        const begun = clock.elapsed()
        const remaining = one.live(Effect.map(Clock.Clock, (mine) => ownership.remaining(mine)))
        for (let waited = 0; waited < 1000; waited++) {
          const claimed = yield* other.store.claim(request())
          if (claimed._tag === "Owner") break
          // Who follows what he is told, by his own clock, waits once.
          const { until } = claimed._tag === "InProgress" ? claimed : assert.fail(claimed._tag)
          const mine = yield* other.live(Clock.currentTimeMillis)
          yield* advance(Math.max(1, until - mine + 1))
        }
        assert.isBelow(yield* remaining, 0, "the owner counts on its lease no more")
        assert.isAtMost(clock.elapsed() - begun, lease + 2 * margin + 2)
        yield* tagged(one.store.complete(ownership, text("zombie")), "InProgress")
      })
    )

    promise(
      `clocks that differ by the margin, ${words}: no new life begins while anybody replays the one before`,
      Effect.fnUntraced(function* ({ advance, process }) {
        const [one, other] = [yield* process({ skew: first }), yield* process({ skew: second })]
        yield* completes(one, yield* own(one, short), "old")
        yield* advance(short.ttl - 2 * margin)
        const seen: Array<string> = []
        while (!seen.includes("Owner")) {
          for (const { store } of [one, other]) seen.push((yield* store.claim(request(short)))._tag)
          yield* advance(margin / 10)
        }
        for (const { store } of [one, other]) seen.push((yield* store.claim(request(short)))._tag)
        assert.include(seen, "Replay")
        assert.isBelow(seen.lastIndexOf("Replay"), seen.indexOf("Owner"))
      })
    )
  }

  promise(
    "a clock that is half a margin off serves as any other",
    Effect.fnUntraced(function* ({ process }) {
      for (const skew of [-margin / 2, margin / 2]) {
        const one = yield* process({ skew })
        const key = `skew ${skew}`
        yield* completes(one, yield* own(one, { key }), "done")
      }
    })
  )

  if (trait === "own") {
    promise(
      "beyond the margin: can't arise, since rows are dated by the one clock of this machine",
      Effect.fnUntraced(function* ({ process }) {
        for (const skew of [-10 * margin, 10 * margin]) {
          const one = yield* process({ skew })
          const key = `skew ${skew}`
          yield* completes(one, yield* own(one, { key }), "done")
        }
      })
    )
    return
  }

  for (const skew of [-2 * margin, 2 * margin])
    promise(
      `a clock that is ${skew < 0 ? "behind" : "ahead"} by more than the margin is refused with ClockSkew, and mended serves again`,
      Effect.fnUntraced(function* ({ advance, process }) {
        const [one, other] = [yield* process({ skew }), yield* process()]
        const error = yield* Effect.flip(one.store.claim(request()))
        assert.strictEqual(error._tag, "ClockSkew")
        if (error._tag !== "ClockSkew") return
        assert.approximately(error.difference, skew, margin / 2)
        assert.strictEqual(error.margin, margin)
        assert.include(error.message, "NTP")
        if (trait === "asked") {
          // It was asked before anything was written.
          assert.deepStrictEqual(one.faults.take(), ["time"])
          yield* own(other)
          return
        }
        // It was told with the creation: what stands there is nobody's, and ends as any lease.
        assert.deepStrictEqual(one.faults.take(), ["time", "create claim 0"])
        assert.deepInclude(yield* known(other), { slots: 1 })
        yield* waits(other)
        yield* advance(lease + 4 * margin)
        yield* own(other)
      })
    )

  promise(
    "the server's clock is asked at first and by the hour, or told with each creation",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const isAsked = Effect.fnUntraced(function* (key: string) {
        one.faults.take()
        yield* completes(one, yield* own(one, { key }), "done")
        return one.faults.take().includes("time")
      })
      assert.isTrue(yield* isAsked("first"))
      yield* advance(hour - 1)
      assert.isFalse(yield* isAsked("second"))
      yield* advance(2)
      assert.isTrue(yield* isAsked("third"))
      assert.strictEqual((yield* one.live(one.slots.time)) === undefined, trait === "told")
    })
  )
}
