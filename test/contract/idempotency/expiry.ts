import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Hashes from "../../../src/internal/idempotency/Hashes.ts"
import {
  completes,
  known,
  lease,
  margin,
  own,
  type Promised,
  replays,
  request,
  rowsOf,
  short,
  tagged,
  tally,
  text,
  together,
  waits
} from "./support.ts"

export const expiry = (promise: Promised): void => {
  promise(
    "an answer is replayed up to expiresAt, then waited for, and behind the margin the key begins anew",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const whenOver = clock.now() + short.ttl + margin
      const old = yield* own(one, short)
      yield* completes(one, old, "old")
      yield* advance(short.ttl)
      yield* replays(other, "old", short)
      yield* advance(1)
      assert.deepStrictEqual(yield* waits(other, short), { _tag: "InProgress", until: whenOver, why: "expiring" })
      yield* advance(margin - 1)
      assert.strictEqual((yield* waits(other, short)).until, whenOver)
      assert.deepInclude(yield* known(other), { state: "expired" })
      yield* advance(1)
      const { isTakeover, ownership } = yield* tagged(other.store.claim(request(short)), "Owner")
      assert.isFalse(isTakeover)
      assert.notStrictEqual(ownership.generation, old.generation)
      assert.notStrictEqual(
        Hashes.token(rowsOf(), ownership.generation, ""),
        Hashes.token(rowsOf(), old.generation, ""),
        "what is passed downstream is another key too"
      )
      assert.deepInclude(yield* known(other), { state: "claimed", slots: 1 })
    })
  )

  for (const end of ["claimed", "released", "step"])
    promise(
      `a ${end === "step" ? "key whose last row is a step" : `${end} key`} is not claimed between expiresAt and the margin, and begins anew behind it`,
      Effect.fnUntraced(function* ({ advance, clock, process }) {
        const [one, other] = [yield* process(), yield* process()]
        const whenOver = clock.now() + short.ttl + margin
        const old = yield* own(one, short)
        if (end === "released") yield* one.store.release(old)
        if (end === "step") yield* one.store.step(old, "a", text("A"))
        yield* advance(short.ttl + 1)
        assert.deepStrictEqual(yield* waits(other, short), { _tag: "InProgress", until: whenOver, why: "expiring" })
        yield* advance(margin)
        const fresh = yield* own(other, short)
        assert.notStrictEqual(fresh.generation, old.generation)
        assert.isUndefined(fresh.recorded("a"), "a step of the life before is not this one's")
        // The owner of the life before is told that it has lost, and records nothing.
        if (end !== "released") yield* tagged(one.store.complete(old, text("old")), "InProgress")
        yield* completes(other, fresh, "new")
        yield* replays(one, "new", short)
      })
    )

  promise(
    "margin window: no claim begins that would have less than half a lease before expiresAt",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const begun = clock.now()
      yield* one.store.release(yield* own(one, short))
      yield* advance(short.ttl - lease / 2 + 1)
      const told = yield* waits(other, short)
      assert.deepStrictEqual(told, { _tag: "InProgress", until: begun + short.ttl + margin, why: "expiring" })
      // At just half a lease one does, and its lease ends with the key.
      yield* one.store.release(yield* own(one, { ...short, key: "fits" }))
      yield* advance(short.ttl - lease / 2)
      yield* own(other, { ...short, key: "fits" })
      const { expiresAt, leaseExpiresAt } = yield* known(other, "fits")
      assert.strictEqual(leaseExpiresAt, expiresAt)
    })
  )

  promise(
    "of eight at once exactly one begins the next life, and nothing is left of the one before",
    Effect.fnUntraced(function* ({ advance, process }) {
      const processes = [yield* process(), yield* process(), yield* process(), yield* process()]
      const [one] = processes
      const old = yield* own(one!, short)
      yield* one!.store.step(old, "a", text("A"))
      yield* one!.store.renew(old)
      yield* completes(one!, old, "old")
      yield* advance(short.ttl + margin + 1)
      const outcomes = yield* together([...processes, ...processes].map(({ store }) => store.claim(request(short))))
      assert.deepStrictEqual(tally(outcomes), { Owner: 1, InProgress: 7 })
      const winner = outcomes.find(({ _tag }) => _tag === "Owner")
      if (winner?._tag !== "Owner") return assert.fail("there is one")
      assert.deepInclude(yield* known(one!), {
        state: "claimed",
        slots: 1,
        steps: [],
        generation: winner.ownership.generation
      })
    })
  )

  promise(
    "a key lives many lives, one after the other",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const lives = new Set<string>()
      for (let life = 0; life < 5; life++) {
        const ownership = yield* own(one, short)
        lives.add(ownership.generation)
        yield* completes(one, ownership, `life ${life}`)
        yield* replays(other, `life ${life}`, short)
        yield* advance(short.ttl + margin + 1)
      }
      assert.strictEqual(lives.size, 5)
    })
  )

  promise(
    "another fingerprint is a mismatch up to the margin, and free behind it",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      yield* completes(one, yield* own(one, short), "old")
      const other = { ...short, fingerprint: "other" }
      yield* advance(short.ttl + margin)
      yield* tagged(one.store.claim(request(other)), "Mismatch")
      yield* advance(1)
      yield* completes(one, yield* own(one, other), "other")
      yield* tagged(one.store.claim(request(short)), "Mismatch")
    })
  )
}
