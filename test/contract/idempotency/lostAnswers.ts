import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { Fault } from "../../support/FaultySlots.ts"
import {
  completes,
  known,
  lease,
  margin,
  own,
  type Process,
  type Promised,
  replays,
  request,
  short,
  storeCall,
  strangeRow,
  tagged,
  text,
  type Traits,
  waits,
  about,
  rowsOf,
  hour
} from "./support.ts"

/** What becomes of a command that its sender hears nothing of; `twice` is the conflict with one's own row. */
const faults: ReadonlyArray<readonly [fault: Fault, words: string]> = [
  ["lost", "its answer is lost"],
  ["refused", "it never arrives"],
  ["held", "it arrives when it was sent again"],
  ["twice", "the server does it twice, and says that it is there already"]
]

export const lostAnswers = (promise: Promised, { keeps }: Traits): void => {
  /** Each creation, and what the key is like afterwards. */
  const creations: {
    readonly [name: string]: (
      one: Process,
      fail: () => void,
      pass: (ms: number) => Effect.Effect<void>
    ) => Effect.Effect<number, unknown>
  } = {
    "first claim": Effect.fnUntraced(function* (one, fail) {
      fail()
      yield* own(one)
      return 1
    }),
    takeover: Effect.fnUntraced(function* (one, fail, pass) {
      yield* own(one)
      yield* pass(lease + margin + 1)
      // The first creation is the try for slot 0.
      one.faults.when("after", "create", Effect.sync(fail))
      yield* own(one)
      return 2
    }),
    "claim after a release": Effect.fnUntraced(function* (one, fail) {
      yield* one.store.release(yield* own(one))
      one.faults.when("after", "create", Effect.sync(fail))
      yield* own(one)
      return 3
    }),
    renewal: Effect.fnUntraced(function* (one, fail) {
      const ownership = yield* own(one)
      fail()
      yield* tagged(one.store.renew(ownership), "Written")
      return 2
    }),
    step: Effect.fnUntraced(function* (one, fail) {
      const ownership = yield* own(one)
      fail()
      yield* tagged(one.store.step(ownership, "a", text("A")), "Written")
      assert.deepStrictEqual((yield* known(one)).steps, ["a"])
      return 2
    }),
    completion: Effect.fnUntraced(function* (one, fail) {
      const ownership = yield* own(one)
      fail()
      yield* completes(one, ownership, "done")
      yield* replays(one, "done")
      return 2
    }),
    release: Effect.fnUntraced(function* (one, fail) {
      const ownership = yield* own(one)
      fail()
      yield* tagged(one.store.release(ownership), "Released")
      assert.deepInclude(yield* known(one), { state: "released" })
      return 2
    })
  }

  for (const [name, write] of Object.entries(creations))
    for (const [fault, words] of faults)
      promise(
        `${name}: ${words}`,
        Effect.fnUntraced(function* ({ advance, process }) {
          const one = yield* process()
          const slots = yield* write(one, () => one.faults.fail("create", fault, { takes: 100 }), advance)
          yield* one.faults.land
          assert.deepInclude(yield* known(one), { slots })
        })
      )

  for (const [fault, words] of faults) {
    promise(
      `reclaim: ${words}`,
      Effect.fnUntraced(function* ({ advance, process }) {
        const one = yield* process()
        yield* completes(one, yield* own(one, short), "old")
        yield* advance(short.ttl + margin + 1)
        one.faults.fail("deleteGeneration", fault, { takes: 100 })
        const ownership = yield* own(one, short)
        yield* one.faults.land
        assert.deepInclude(yield* known(one), { slots: 1, generation: ownership.generation })
        yield* completes(one, ownership, "new")
        yield* replays(one, "new", short)
      })
    )

    promise(
      `removal of garbage: ${words}`,
      Effect.fnUntraced(function* ({ clock, process }) {
        const one = yield* process()
        const ownership = yield* own(one)
        const garbage = strangeRow({ slot: 1, expiresAt: clock.now() - hour })
        const placed = yield* one.live(one.slots.create(rowsOf(), garbage, about, false))
        // One string for a key: nothing can stand behind it.
        if (keeps === "top") return assert.strictEqual(placed._tag, "Taken")
        one.faults.fail("deleteRow", fault, { takes: 100 })
        yield* completes(one, ownership, "done")
        yield* one.faults.land
        yield* replays(one, "done")
        assert.deepInclude(yield* known(one), { slots: 2 })
      })
    )
  }

  promise(
    "a list that has no answer is asked for again",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      one.faults.fail("create", "lost")
      one.faults.fail("list", "lost", { times: 3 })
      const ownership = yield* own(one)
      one.faults.fail("create", "lost")
      one.faults.fail("list", "refused", { times: 3 })
      yield* completes(one, ownership, "done")
      assert.deepInclude(yield* known(one), { state: "done", slots: 2 })
    })
  )

  promise(
    "a store that says nothing: the claim ends after 8 passes at most, and nobody owns what may have landed",
    Effect.fnUntraced(function* ({ advance, clock, process }) {
      const [one, other] = [yield* process(), yield* process()]
      const begun = clock.now()
      one.faults.fail("create", "lost", { times: 100 })
      one.faults.fail("list", "lost", { times: 100 })
      const error = yield* Effect.flip(one.store.claim(request()))
      assert.strictEqual(error._tag, "StoreUnavailable")
      assert.isAtMost(one.faults.take().filter((call) => call !== "time").length, 8)
      assert.strictEqual((yield* waits(other)).until, begun + lease + margin)
      one.faults.mend()
      yield* advance(lease + margin + 1)
      yield* own(one)
    })
  )

  promise(
    "a claim is not tried for longer than a quarter of its lease",
    Effect.fnUntraced(function* ({ clock, process }) {
      const one = yield* process()
      const begun = clock.now()
      one.faults.fail("create", "refused", { times: 100, takes: storeCall })
      one.faults.fail("list", "refused", { times: 100, takes: storeCall })
      yield* Effect.flip(one.store.claim(request()))
      assert.isAtMost(clock.now() - begun, lease / 4 + 2 * storeCall)
    })
  )

  promise(
    "a completion is tried until its lease ends; then the answer goes out unrecorded, and may stand in the store or not",
    Effect.fnUntraced(function* ({ advance, process }) {
      const [one, other] = [yield* process(), yield* process()]
      for (const fault of ["lost", "refused"] as const) {
        const key = fault
        const ownership = yield* own(one, { key })
        one.faults.take()
        one.faults.fail("create", fault, { times: 100, takes: storeCall })
        one.faults.fail("list", "refused", { times: 100, takes: storeCall })
        yield* tagged(one.store.complete(ownership, text("unrecorded")), "Unrecorded")
        // It used the whole lease but the last call's time.
        assert.isAtLeast(one.faults.take().length, lease / storeCall - 2)
        one.faults.mend()
        if (fault === "lost") yield* replays(other, "unrecorded", { key })
        else {
          yield* waits(other, { key })
          yield* advance(lease + margin + 1)
          yield* own(other, { key })
        }
      }
    })
  )

  promise(
    "a completion that is silent beyond its lease says that the store can't be used, and sends nothing",
    Effect.fnUntraced(function* ({ advance, process }) {
      const one = yield* process()
      const ownership = yield* own(one)
      yield* advance(lease + 1)
      one.faults.fail("create", "refused", { times: 100 })
      one.faults.fail("list", "refused", { times: 100 })
      assert.strictEqual((yield* Effect.flip(one.store.complete(ownership, text("late"))))._tag, "StoreUnavailable")
    })
  )
}
