import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  completes,
  hour,
  known,
  margin,
  own,
  type Promised,
  replays,
  request,
  short,
  storeCall,
  text,
  type Traits,
  lease,
  tagged,
  waits,
  rowsOf
} from "./support.ts"

/** Commands whose sender gave up, and that land when the generation they are of is gone. */
export const abandoned = (promise: Promised, { removal }: Traits): void => {
  const overAndOut = short.ttl + margin + 1

  /** An owner of a generation that ends, with a write of it still under way. */
  const writes = ["renewal", "step", "done", "released", "takeover"] as const
  for (const write of writes)
    promise(
      `a ${write} that lands behind a new generation changes nothing for it`,
      Effect.fnUntraced(function* ({ advance, clock, process }) {
        const [one, other] = [yield* process(), yield* process()]
        const begun = clock.now()
        const old = yield* own(one, short)
        if (write === "takeover") yield* advance(lease + margin + 1)
        // The one that is held, then silence until nobody asks any more.
        if (write === "takeover")
          one.faults.when(
            "after",
            "create",
            Effect.sync(() => {
              one.faults.fail("create", "held")
              one.faults.fail("create", "refused", { times: 50, takes: storeCall })
              one.faults.fail("list", "refused", { times: 50, takes: storeCall })
            })
          )
        else {
          one.faults.fail("create", "held")
          one.faults.fail("create", "refused", { times: 50, takes: storeCall })
          one.faults.fail("list", "refused", { times: 50, takes: storeCall })
        }
        const asked = {
          renewal: one.store.renew(old),
          step: one.store.step(old, "a", text("old")),
          done: one.store.complete(old, text("old")),
          released: one.store.release(old),
          takeover: one.store.claim(request(short))
        }[write]
        yield* Effect.ignore(asked)
        one.faults.mend()

        yield* advance(begun + overAndOut - clock.now())
        const fresh = yield* own(other, short)
        assert.strictEqual(yield* one.faults.land, 1)
        assert.deepInclude(yield* known(other), { state: "claimed", slots: 1, generation: fresh.generation, steps: [] })
        yield* waits(one, short)
        yield* tagged(other.store.step(fresh, "b", text("new")), "Written")
        yield* completes(other, fresh, "new")
        yield* replays(one, "new", short)
        assert.deepInclude(yield* known(other), { slots: 3, generation: fresh.generation })
      })
    )

  promise(
    "a first claim that lands when its generation would be over is reclaimed, and blocks nobody",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      one.faults.fail("create", "held")
      one.faults.fail("create", "refused", { times: 50 })
      one.faults.fail("list", "refused", { times: 50 })
      yield* Effect.flip(own(one, short))
      one.faults.mend()
      yield* advance(overAndOut)
      assert.strictEqual(yield* one.faults.land, 1)
      assert.deepInclude(yield* known(other), { state: "expired" })
      const fresh = yield* own(other, short)
      assert.deepInclude(yield* known(other), { state: "claimed", slots: 1, generation: fresh.generation })
      yield* completes(other, fresh, "new")
    })
  )

  promise(
    "a first claim that lands on a key that lives is one conflict more",
    Effect.fnUntraced(function* ({ process }) {
      const [one, other] = [yield* process(), yield* process()]
      one.faults.fail("create", "held")
      one.faults.fail("create", "refused", { times: 50 })
      one.faults.fail("list", "refused", { times: 50 })
      yield* Effect.flip(own(one))
      one.faults.mend()
      yield* completes(other, yield* own(other), "done")
      assert.strictEqual(yield* one.faults.land, 1)
      yield* replays(one, "done")
    })
  )

  promise(
    "a deletion of the old generation that lands late leaves the new one as it is, whatever it has come to",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      for (const end of ["claimed", "done", "released"]) {
        const key = end
        yield* completes(one, yield* own(one, { ...short, key }), "old")
        yield* advance(overAndOut)
        one.faults.fail("deleteGeneration", "held", { times: 20 })
        yield* Effect.ignore(own(one, { ...short, key }))
        const fresh = yield* own(other, { ...short, key })
        if (end === "done") yield* completes(other, fresh, "new")
        if (end === "released") yield* other.store.release(fresh)
        const before = yield* known(other, key)
        assert.isAtLeast(yield* one.faults.land, 1)
        one.faults.mend()
        assert.deepStrictEqual(yield* known(other, key), before)
        assert.strictEqual(before.state, end)
      }
    })
  )

  promise(
    "a clean-up that lands late removes only what its time is over for",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      yield* completes(one, yield* own(one, short), "old")
      yield* advance(overAndOut + hour)
      one.faults.fail("removePurged", "held", { times: 20 })
      yield* Effect.flip(one.store.removeExpired())
      const fresh = yield* own(other, short)
      yield* completes(other, fresh, "new")
      assert.strictEqual(yield* one.faults.land, 1)
      yield* replays(other, "new", short)
      assert.deepInclude(yield* known(other), { generation: fresh.generation, slots: 2 })
      if (removal === "server")
        assert.strictEqual(yield* one.live(one.slots.removePurged(Number.MAX_SAFE_INTEGER / 2, 100, false)), 0)
    })
  )

  promise(
    "parts that land late are nobody's, and do not change a response",
    Effect.fnUntraced(function* ({ process }) {
      const limits = { part: 1000, parts: 4 }
      const [one, other] = [yield* process({ limits, compressAbove: 1e6 }), yield* process({ limits })]
      const body = "long ".repeat(500)
      const ownership = yield* own(one)
      one.faults.fail("putParts", "held")
      yield* completes(one, ownership, body)
      // Without its parts its body is not kept, and it has happened nevertheless.
      const before = yield* tagged(other.store.claim(request()), "Replay")
      yield* one.faults.land
      const after = yield* tagged(other.store.claim(request()), "Replay")
      assert.deepStrictEqual(after.content, before.content)
      assert.strictEqual((yield* known(other, "key")).status, 201)
      assert.isDefined(yield* other.store.inspect(rowsOf()))
    })
  )
}
