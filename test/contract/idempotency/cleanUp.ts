import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  completes,
  hour,
  known,
  lease,
  margin,
  own,
  type Process,
  type Promised,
  replays,
  request,
  rowsOf,
  short,
  tagged,
  tally,
  text,
  together,
  type Traits,
  waits
} from "./support.ts"

/** When rows of a key that was claimed now may go. */
const purgeAfter = short.ttl + margin + hour

/** A key with a claim, a step, a renewal and a response in two parts: six rows. */
const long = Effect.fnUntraced(function* (one: Process, key?: string) {
  const ownership = yield* own(one, { ...short, key })
  yield* tagged(one.store.step(ownership, "a", text("A")), "Written")
  yield* tagged(one.store.renew(ownership), "Written")
  yield* completes(one, ownership, "long ".repeat(300))
  return ownership
})
const options = { limits: { part: 1000, parts: 4 }, compressAbove: 1e6 }
const rows = 6

export const cleanUp = (promise: Promised, { keeps, removal }: Traits): void => {
  if (removal === "server")
    promise(
      "the server removes by itself what is over: each name has its time, and the clean-up finds nothing",
      Effect.fnUntraced(function* ({ advance, process }) {
        const one = yield* process(options)
        yield* long(one)
        yield* advance(purgeAfter + 1)
        assert.deepStrictEqual(yield* one.store.removeExpired(), { deletedCount: 0 })
        assert.deepStrictEqual(yield* one.store.removeExpired({ dryRun: true }), { deletedCount: 0 })
      })
    )
  else {
    promise(
      "nothing goes before its time, everything goes behind it, parts too",
      Effect.fnUntraced(function* ({ advance, process }) {
        const [one, other] = [yield* process(options), yield* process(options)]
        yield* long(one)
        yield* advance(purgeAfter)
        assert.deepStrictEqual(yield* other.store.removeExpired(), { deletedCount: 0 })
        yield* advance(1)
        assert.deepStrictEqual(yield* other.store.removeExpired({ dryRun: true }), { deletedCount: rows })
        assert.deepStrictEqual(yield* other.store.removeExpired(), { deletedCount: rows })
        assert.isUndefined(yield* one.store.inspect(rowsOf()))
        assert.deepStrictEqual(yield* other.store.removeExpired(), { deletedCount: 0 })
      })
    )

    promise(
      "older-than only lengthens; a dry run removes nothing; batches go on until there is nothing more",
      Effect.fnUntraced(function* ({ advance, process }) {
        const one = yield* process(options)
        for (let index = 0; index < 5; index++) yield* long(one, `key ${index}`)
        yield* advance(purgeAfter + 1)
        assert.deepStrictEqual(yield* one.store.removeExpired({ olderThan: 1 }), { deletedCount: 0 })
        yield* advance(-2)
        assert.deepStrictEqual(yield* one.store.removeExpired({ olderThan: -hour }), { deletedCount: 0 })
        yield* advance(2)
        assert.deepStrictEqual(yield* one.store.removeExpired({ dryRun: true }), { deletedCount: 5 * rows })
        one.faults.take()
        assert.deepStrictEqual(yield* one.store.removeExpired({ batch: 7 }), { deletedCount: 5 * rows })
        assert.lengthOf(one.faults.take(), 5)
      })
    )
  }

  // Stopped behind any row, in whatever order they go.
  for (let gone = 0; gone <= (removal === "server" ? 0 : rows); gone++)
    promise(
      `stopped behind ${gone} of ${rows} rows, the key begins anew, and ends well`,
      Effect.fnUntraced(function* ({ advance, clock, process }) {
        const [one, other] = [yield* process(options), yield* process(options)]
        const old = yield* long(one)
        yield* advance(purgeAfter + 1)
        for (let index = 0; index < gone; index++)
          assert.strictEqual(yield* one.live(one.slots.removePurged(clock.now(), 1, false)), 1)
        const fresh = yield* own(other, short)
        assert.notStrictEqual(fresh.generation, old.generation)
        assert.isUndefined(fresh.recorded("a"))
        yield* waits(one, short)
        yield* tagged(other.store.step(fresh, "b", text("B")), "Written")
        yield* completes(other, fresh, "new")
        yield* replays(one, "new", short)
        // Going on with it takes nothing of the new life.
        yield* one.store.removeExpired({ olderThan: 0 })
        yield* replays(one, "new", short)
        // What is done tells no steps where they lie beside it: no replay needs them.
        assert.deepInclude(yield* known(one), { slots: 3, steps: keeps === "rows" ? ["b"] : [] })
      })
    )

  promise(
    "older-than 0 takes nothing of a live key: claimed, done, released, nor expired within its time",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process(options)
      const states = {
        claimed: own(one, { key: "claimed" }),
        done: Effect.flatMap(own(one, { key: "done" }), (ownership) => completes(one, ownership, "done")),
        released: Effect.flatMap(own(one, { key: "released" }), one.store.release)
      }
      for (const state of Object.values(states)) yield* state
      yield* completes(one, yield* own(one, { ...short, key: "expired" }), "done")
      yield* advance(purgeAfter)
      assert.deepStrictEqual(yield* one.store.removeExpired({ olderThan: 0 }), { deletedCount: 0 })
      assert.strictEqual((yield* known(one, "claimed")).state, "lapsed")
      assert.strictEqual((yield* known(one, "done")).state, "done")
      assert.strictEqual((yield* known(one, "released")).state, "released")
      assert.strictEqual((yield* known(one, "expired")).state, "expired")
    })
  )

  promise(
    "racing with use: clean-ups of two processes beside claims of two others, and each key has one owner",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(options), yield* process(options)]
      const [third, fourth] = [yield* process(), yield* process()]
      const keys = ["a", "b", "c", "d"]
      for (const key of keys) yield* long(one, key)
      yield* advance(purgeAfter + 1)
      const cleaning = [one, other].map(({ store }) => store.removeExpired({ batch: 1 }))
      const using = keys.flatMap((key) =>
        [third, fourth].map((user) =>
          Effect.gen(function* () {
            const claimed = yield* user.store.claim(request({ ...short, key }))
            if (claimed._tag !== "Owner") return claimed
            return yield* completes(user, claimed.ownership, `new ${key}`)
          })
        )
      )
      const [outcomes] = yield* Effect.all([together(using), together(cleaning)], { concurrency: "unbounded" })
      const { InProgress = 0, Recorded = 0, Replay = 0 } = tally(outcomes)
      assert.deepStrictEqual(
        [Recorded, InProgress + Replay],
        [keys.length, keys.length],
        JSON.stringify(tally(outcomes))
      )
      yield* one.store.removeExpired()
      for (const key of keys) yield* replays(one, `new ${key}`, { ...short, key })
    })
  )

  promise(
    "an owner whose key is cleaned up under it records nothing, and tells nobody that it did",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(options), yield* process(options)]
      const ownership = yield* own(one, short)
      yield* advance(purgeAfter + lease)
      yield* other.store.removeExpired()
      yield* tagged(one.store.complete(ownership, text("late")), "InProgress")
      const fresh = yield* own(other, short)
      yield* completes(other, fresh, "new")
      yield* replays(one, "new", short)
    })
  )
}
