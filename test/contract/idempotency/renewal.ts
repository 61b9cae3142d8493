import { assert } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import {
  completes,
  known,
  lease,
  margin,
  own,
  type Process,
  type Promised,
  replays,
  short,
  storeCall,
  tagged,
  text,
  waits
} from "./support.ts"
import type { StoreError } from "../../../src/IdempotencyError.ts"
import type { Ownership, Renewed } from "../../../src/IdempotencyStore.ts"

const remaining = ({ live }: Process, ownership: Ownership) =>
  live(Effect.map(Clock.Clock, (clock) => ownership.remaining(clock)))

export const renewal = (promise: Promised): void => {
  promise(
    "a renewal gives a whole lease from when it was sent, by one's own clock and to all others",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const ownership = yield* own(one)
      yield* advance(lease / 2)
      const sent = clock.now()
      one.faults.when("after", "create", advance(1000))
      yield* tagged(one.store.renew(ownership), "Written")
      assert.strictEqual(yield* remaining(one, ownership), lease - 1000)
      assert.strictEqual((yield* waits(other)).until, sent + lease + margin)
      yield* advance(lease + margin - 1000)
      yield* waits(other)
      yield* advance(1)
      yield* own(other)
    })
  )

  promise(
    "a lease never outlives the key, and then is not renewed",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const one = yield* process()
      const begun = clock.now()
      const ownership = yield* own(one, short)
      yield* advance(short.ttl - lease / 2)
      yield* tagged(one.store.renew(ownership), "Written")
      assert.strictEqual((yield* known(one)).leaseExpiresAt, new Date(begun + short.ttl).toISOString())
      yield* tagged(one.store.renew(ownership), "Unneeded")
      assert.deepInclude(yield* known(one), { slots: 2 })
      yield* completes(one, ownership, "done")
    })
  )

  promise(
    "after the lease a renewal counts while nobody has taken over",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const ownership = yield* own(one)
      yield* advance(lease + margin + 1)
      yield* tagged(one.store.renew(ownership), "Written")
      assert.strictEqual(yield* remaining(one, ownership), lease)
      yield* waits(other)
      yield* completes(one, ownership, "done")
      yield* replays(other, "done")
    })
  )

  promise(
    "a step is recorded once, renews the lease, and is there for the next attempt",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const first = yield* own(one)
      yield* advance(lease / 2)
      yield* tagged(one.store.step(first, "charged", text("7")), "Written")
      assert.strictEqual(yield* remaining(one, first), lease)
      assert.deepStrictEqual(yield* first.recorded("charged")!, text("7"))
      yield* tagged(one.store.release(first), "Released")
      const second = yield* own(other)
      assert.deepStrictEqual(yield* second.recorded("charged")!, text("7"))
    })
  )

  for (const kind of ["renewal", "step"] as const) {
    const write = ({ store }: Process, ownership: Ownership): Effect.Effect<Renewed, StoreError> =>
      kind === "step" ? store.step(ownership, "late", text("7")) : store.renew(ownership)
    const row = kind === "step" ? "step" : "claim"

    promise(
      `a ${kind} that is given up and lands late is stepped over by the next write of its owner`,
      Effect.fnUntraced(function* ({ process }) {
        const [one, other] = [yield* process(), yield* process()]
        for (const next of ["complete", "release", "renew", "step"] as const) {
          const key = `then ${next}`
          const ownership = yield* own(one, { key })
          // All tries are silent until its own lease is over.
          one.faults.fail("create", "held", { kind: row })
          one.faults.fail("create", "refused", { times: 20, takes: storeCall })
          one.faults.fail("list", "refused", { times: 20, takes: storeCall })
          yield* tagged(write(one, ownership), "Undecided")
          one.faults.mend()
          assert.deepInclude(yield* known(one, key), { slots: 1 })
          assert.strictEqual(yield* one.faults.land, 1)
          assert.deepInclude(yield* known(one, key), { slots: 2 })
          if (next === "complete") {
            yield* completes(one, ownership, "done")
            yield* replays(other, "done", { key })
          }
          if (next === "release") yield* tagged(one.store.release(ownership), "Released")
          if (next === "renew") yield* tagged(one.store.renew(ownership), "Written")
          if (next === "step") yield* tagged(one.store.step(ownership, "b", text("8")), "Written")
          assert.deepInclude(yield* known(one, key), { slots: 3 })
          if (next === "renew" || next === "step") yield* completes(one, ownership, "done")
        }
      })
    )

    promise(
      `a ${kind} that lands late, sent again meanwhile, is there once`,
      Effect.fnUntraced(function* ({ process }) {
        const one = yield* process()
        const ownership = yield* own(one)
        one.faults.fail("create", "held", { takes: storeCall })
        yield* tagged(write(one, ownership), "Written")
        assert.strictEqual(yield* one.faults.land, 1)
        assert.deepInclude(yield* known(one), { slots: 2 })
        yield* completes(one, ownership, "done")
        assert.deepInclude(yield* known(one), { slots: 3 })
      })
    )

    promise(
      `a ${kind} whose answer comes after its own lease does not count by itself`,
      Effect.fnUntraced(function* ({ advance, process }) {
        const one = yield* process()
        const ownership = yield* own(one)
        one.faults.when("after", "create", advance(lease + 1))
        const outcome = yield* write(one, ownership)
        assert.include(["Written", "Undecided"], outcome._tag)
        const left = yield* remaining(one, ownership)
        // A step is made good by a renewal; a renewal is told as what it is, a lease that is over.
        if (kind === "step" && outcome._tag === "Written") assert.strictEqual(left, lease)
        else assert.isBelow(left, 0)
        yield* completes(one, ownership, "done")
      })
    )

    promise(
      `at slot 62 a ${kind} has no room, and the end still has`,
      Effect.fnUntraced(function* ({ process }) {
        const one = yield* process()
        for (const end of ["done", "released"] as const) {
          const key = `ends ${end}`
          const ownership = yield* own(one, { key })
          for (let slot = 1; slot <= 62; slot++)
            yield* tagged(one.store.step(ownership, `step ${slot}`, text(String(slot))), "Written")
          yield* tagged(write(one, ownership), "Full")
          assert.deepInclude(yield* known(one, key), { slots: 63 })
          if (end === "done") yield* completes(one, ownership, "done")
          else yield* tagged(one.store.release(ownership), "Released")
          assert.deepInclude(yield* known(one, key), { state: end, slots: 64 })
        }
      })
    )
  }
}
