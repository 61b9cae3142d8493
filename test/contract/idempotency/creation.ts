import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  completes,
  known,
  own,
  type Promised,
  replays,
  request,
  rowsOf,
  tally,
  text,
  together,
  type Traits,
  tagged
} from "./support.ts"

export const creation = (promise: Promised, { creation: trait }: Traits): void => {
  promise(
    "eight processes make the store at once: each of their keys has its owner, and one key has one",
    Effect.fnUntraced(function* ({ process }) {
      const processes = yield* Effect.forEach(Array.from({ length: 8 }), () => process())
      const outcomes = yield* together(
        processes.flatMap(({ store }, index) =>
          ["shared", `own ${index}`].map((key) =>
            Effect.gen(function* () {
              const claimed = yield* store.claim(request({ key }))
              return claimed._tag === "Owner" ? yield* store.complete(claimed.ownership, text(key)) : claimed
            })
          )
        )
      )
      const { InProgress = 0, Recorded = 0, Replay = 0 } = tally(outcomes)
      assert.deepStrictEqual([Recorded, InProgress + Replay], [9, 7], JSON.stringify(tally(outcomes)))
      const [one] = processes
      for (const key of ["shared", ...processes.map((_, index) => `own ${index}`)]) {
        yield* replays(one!, key, { key })
        assert.deepInclude(yield* known(one!, key), { slots: 2 })
      }
    }),
    { isBare: true }
  )

  promise(
    "of eight first calls at once none fails: who finds that another was faster has what it wanted",
    Effect.fnUntraced(function* ({ process }) {
      const processes = yield* Effect.forEach(Array.from({ length: 8 }), () => process())
      const lists = yield* together(processes.map(({ live, slots }) => live(slots.list(rowsOf()))))
      assert.deepStrictEqual(
        lists,
        lists.map(() => undefined)
      )
    }),
    { isBare: true }
  )

  promise(
    trait === "collection"
      ? "an operation of any kind makes the collection where it is missing"
      : "nothing is made before the first key",
    Effect.fnUntraced(function* ({ process }) {
      const one = yield* process()
      const { store } = one
      assert.isUndefined(yield* store.inspect("k".repeat(31)))
      assert.deepStrictEqual(yield* store.removeExpired(), { deletedCount: 0 })
      assert.deepStrictEqual(yield* store.removeExpired({ dryRun: true }), { deletedCount: 0 })
      yield* completes(one, yield* own(one), "done")
      yield* tagged(one.store.claim(request()), "Replay")
    }),
    { isBare: true }
  )
}
