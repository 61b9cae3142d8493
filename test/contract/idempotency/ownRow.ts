import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import {
  completes,
  isNotOwner,
  known,
  lease,
  margin,
  own,
  type Promised,
  request,
  short,
  tagged,
  waits
} from "./support.ts"

/** A claim whose answer was lost is found again by its nonce. What is not a live top of one's own is nobody's to adopt. */
export const ownRow = (promise: Promised): void => {
  promise(
    "a live top is adopted: the answer of the claim was lost, and its row is there",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      one.faults.fail("create", "lost", { takes: 5000 })
      const ownership = yield* own(one)
      assert.deepStrictEqual(
        one.faults.take().filter((call) => call !== "time"),
        ["create claim 0", "list"]
      )
      // Its lease counts from before the claim was sent.
      assert.strictEqual(ownership.remaining(yield* one.live(Effect.clockWith(Effect.succeed))), lease - 5000)
      assert.deepInclude(yield* known(one), { slots: 1 })
      yield* completes(one, ownership, "done")
    })
  )

  promise(
    "not the top: another has taken over behind it",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const taken = yield* Deferred.make<void>()
      const takeover = Effect.andThen(advance(lease + margin + 1), own(other))
      one.faults.fail("create", "twice")
      one.faults.when("after", "create", Effect.orDie(Effect.andThen(takeover, Deferred.succeed(taken, undefined))))
      yield* isNotOwner(one)
      yield* Deferred.await(taken)
      yield* waits(one)
      assert.deepInclude(yield* known(other), { slots: 2 })
    })
  )

  promise(
    "not when its lease is over: within the margin it is waited for, behind that taken over by a claim of its own",
    Effect.fnUntraced(function* ({ clock, process }) {
      const one = yield* process()
      const begun = clock.now()
      one.faults.fail("create", "twice", { takes: lease + 1 })
      yield* isNotOwner(one)
      assert.strictEqual((yield* waits(one)).until, begun + lease + margin)
      // So late it decides nothing more: the next call does.
      one.faults.fail("create", "twice", { takes: lease + margin + 1 })
      assert.strictEqual((yield* Effect.flip(own(one, { key: "another" })))._tag, "StoreUnavailable")
      assert.deepInclude(yield* known(one, "another"), { state: "lapsed", slots: 1 })
      assert.isTrue((yield* tagged(one.store.claim(request({ key: "another" })), "Owner")).isTakeover)
      assert.deepInclude(yield* known(one, "another"), { slots: 2 })
    })
  )

  promise(
    "a claim that is acknowledged after its lease does not count: no handler starts",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      one.faults.when("after", "create", advance(lease + 1))
      assert.strictEqual((yield* Effect.flip(own(one)))._tag, "StoreUnavailable")
      yield* waits(one)
      yield* advance(margin)
      // Nor does a takeover.
      one.faults.fail("create", "twice")
      one.faults.when(
        "after",
        "create",
        Effect.sync(() => one.faults.when("after", "create", advance(lease + 1)))
      )
      yield* isNotOwner(one)
    })
  )

  promise(
    "not past expiry: it is waited for, and behind the margin begun anew under another generation",
    Effect.fnUntraced(function* ({ clock, process }) {
      const one = yield* process()
      const begun = clock.now()
      one.faults.fail("create", "twice", { takes: short.ttl + 1 })
      yield* isNotOwner(one, short)
      const told = yield* waits(one, short)
      assert.deepStrictEqual(told, { _tag: "InProgress", until: begun + short.ttl + margin, why: "expiring" })
      const key = "another"
      one.faults.fail("create", "twice", { takes: short.ttl + margin + 1 })
      assert.strictEqual((yield* Effect.flip(own(one, { ...short, key })))._tag, "StoreUnavailable")
      const { isTakeover, ownership } = yield* tagged(one.store.claim(request({ ...short, key })), "Owner")
      assert.isFalse(isTakeover)
      assert.deepInclude(yield* known(one, key), { slots: 1, generation: ownership.generation })
    })
  )

  promise(
    "not one that was renewed meanwhile by the attempt whose it is",
    Effect.fnUntraced(function* ({ process }) {
      const [one, other] = [yield* process(), yield* process()]
      yield* tagged(one.store.renew(yield* own(one)), "Written")
      yield* waits(other)
      yield* waits(one)
    })
  )

  promise(
    "not another attempt's, though it is of the same process, key and fingerprint",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      yield* own(one)
      yield* waits(one)
      one.faults.fail("create", "lost")
      yield* waits(one)
      one.faults.fail("create", "refused")
      yield* waits(one)
      assert.deepInclude(yield* known(one), { slots: 1 })
    })
  )

  promise(
    "a takeover whose answer was lost is adopted with what the attempt before has left",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const asked = { mode: "atMostOnce", reconcile: true } as const
      const before = yield* own(one, asked)
      yield* one.store.step(before, "charged", { status: null, headers: {}, kind: "success", body: "7" })
      yield* advance(lease + margin + 1)
      const other = yield* process()
      // Of its claims the second is the takeover.
      other.faults.when(
        "before",
        "create",
        Effect.sync(() => {
          other.faults.when(
            "before",
            "create",
            Effect.sync(() => other.faults.fail("create", "lost"))
          )
        })
      )
      const { isTakeover, ownership } = yield* tagged(other.store.claim(request(asked)), "Owner")
      assert.isTrue(isTakeover)
      assert.isTrue(ownership.reconcile, "it must ask what became of the attempt before")
      const recorded = ownership.recorded("charged")
      assert.isDefined(recorded, "the step of the attempt before must not be done again")
      assert.strictEqual((yield* recorded).body, "7")
      assert.deepInclude(yield* known(one), { slots: 3, steps: ["charged"] })
    })
  )
}
