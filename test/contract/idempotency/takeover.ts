import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  completes,
  known,
  lease,
  margin,
  own,
  type Promised,
  replays,
  request,
  tagged,
  tally,
  text,
  together,
  ttl,
  waits
} from "./support.ts"

export const takeover = (promise: Promised): void => {
  promise(
    "of eight at once, of four processes, exactly one takes over; the others wait for its lease",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const processes = [yield* process(), yield* process(), yield* process(), yield* process()]
      for (let round = 1; round <= 3; round++) {
        if (round === 1) yield* own(processes[0]!)
        yield* advance(lease + margin + 1)
        const outcomes = yield* together([...processes, ...processes].map(({ store }) => store.claim(request())))
        assert.deepStrictEqual(tally(outcomes), { Owner: 1, InProgress: 7 })
        for (const outcome of outcomes) {
          if (outcome._tag === "Owner") assert.isTrue(outcome.isTakeover)
          if (outcome._tag === "InProgress") assert.strictEqual(outcome.until, clock.now() + lease + margin)
        }
        assert.deepInclude(yield* known(processes[0]!), { slots: 1 + round })
      }
    })
  )

  promise(
    "nobody takes over before lease + margin are over, to the millisecond",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      yield* own(one)
      yield* advance(lease)
      yield* waits(other)
      yield* advance(margin)
      yield* waits(other)
      yield* advance(1)
      yield* own(other)
    })
  )

  promise(
    "of eight at once exactly one gets a key that was released",
    Effect.fnUntraced(function* ({ process }) {
      const processes = [yield* process(), yield* process()]
      const [one] = processes
      yield* tagged(one!.store.release(yield* own(one!)), "Released")
      const four = [...processes, ...processes]
      const outcomes = yield* together([...four, ...four].map(({ store }) => store.claim(request())))
      assert.deepStrictEqual(tally(outcomes), { Owner: 1, InProgress: 7 })
    })
  )

  promise(
    "it is the same generation with the same end, and its steps are there",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const first = yield* own(one)
      yield* tagged(one.store.step(first, "a", text("A")), "Written")
      yield* tagged(one.store.step(first, "b", text("B")), "Written")
      const before = yield* known(one)
      yield* advance(lease + margin + 1)
      const second = yield* own(other)
      assert.strictEqual(second.generation, first.generation)
      assert.isUndefined(second.recorded("c"))
      assert.deepStrictEqual(yield* second.recorded("a")!, text("A"))
      assert.deepStrictEqual(yield* second.recorded("b")!, text("B"))
      const after = yield* known(other)
      assert.strictEqual(after.expiresAt, before.expiresAt)
      assert.deepStrictEqual(after.steps, ["a", "b"])
      // And those of both are there for a third.
      yield* tagged(other.store.step(second, "c", text("C")), "Written")
      yield* advance(lease + margin + 1)
      const third = yield* own(one)
      assert.deepStrictEqual(yield* third.recorded("a")!, text("A"))
      assert.deepStrictEqual(yield* third.recorded("c")!, text("C"))
    })
  )

  promise(
    "atMostOnce: a lease that is over is indeterminate; its owner's late answer still counts; a release runs again",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const asked = { mode: "atMostOnce" } as const
      const first = yield* own(one, asked)
      yield* advance(lease + margin)
      yield* waits(other, asked)
      yield* advance(1)
      yield* tagged(other.store.claim(request(asked)), "Indeterminate")
      yield* completes(one, first, "late")
      yield* replays(other, "late", asked)

      const again = { ...asked, key: "released" }
      yield* tagged(one.store.release(yield* own(one, again)), "Released")
      const { ownership } = yield* tagged(other.store.claim(request({ ...again, reconcile: true })), "Owner")
      assert.isFalse(ownership.reconcile, "what was given back did not happen")
    })
  )

  promise(
    "atMostOnce with reconcile takes over, and is to ask first",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const asked = { mode: "atMostOnce", reconcile: true } as const
      const first = yield* own(one, asked)
      assert.isFalse(first.reconcile)
      yield* advance(lease + margin + 1)
      const { isTakeover, ownership } = yield* tagged(other.store.claim(request(asked)), "Owner")
      assert.isTrue(isTakeover)
      assert.isTrue(ownership.reconcile)
    })
  )

  promise(
    "64 slots used up by attempts that failed: the key is exhausted until it expires, then begins anew",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const one = yield* process()
      const begun = clock.now()
      // A claim and a release each: slots 0 to 63.
      for (let attempt = 0; attempt < 32; attempt++) yield* tagged(one.store.release(yield* own(one)), "Released")
      assert.deepInclude(yield* known(one), { state: "released", slots: 64 })
      const { until } = yield* tagged(one.store.claim(request()), "Exhausted")
      assert.strictEqual(until, begun + ttl + margin)
      yield* advance(until - clock.now() + 1)
      yield* own(one)
      assert.deepInclude(yield* known(one), { slots: 1 })
    })
  )

  promise(
    "a claim never takes the last slot: that is for an end",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const ownership = yield* own(one)
      for (let slot = 1; slot <= 62; slot++) yield* tagged(one.store.renew(ownership), "Written")
      assert.deepInclude(yield* known(one), { slots: 63 })
      yield* advance(lease + margin + 1)
      yield* tagged(one.store.claim(request()), "Exhausted")
      // Its owner ends there nevertheless.
      yield* completes(one, ownership, "late")
      yield* replays(one, "late")
    })
  )
}
