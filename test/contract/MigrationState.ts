/** What every layer of `MigrationState` promises, as a function of the layer. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { empty, failed, MigrationState, succeeded } from "../../src/MigrationState.ts"

const target = { id: "t1", label: "a target" }
const applied = { at: "2026-01-02T03:04:05.678Z", duration: 12, hash: "abc", run: "r1" }

/** Each test builds the layer anew: it must then find no state. */
export const contract = <E>(name: string, implementation: Layer.Layer<MigrationState, E>): void => {
  describe(`MigrationState on ${name}`, () => {
    const promise = (title: string, body: Effect.Effect<void, unknown, MigrationState>) =>
      it.effect(title, () => Effect.provide(body, implementation))

    promise(
      "where nothing was written there is none, which is not an empty one",
      Effect.gen(function* () {
        assert.isUndefined(yield* (yield* MigrationState).load)
      })
    )

    promise(
      "says where it is kept",
      Effect.gen(function* () {
        assert.isNotEmpty((yield* MigrationState).location)
      })
    )

    promise(
      "what was saved is loaded, all of it",
      Effect.gen(function* () {
        const { load, save } = yield* MigrationState
        const failure = { name: "b é😀\n\u0000", error: 'it said "no"', timestamp: "2026-01-02T03:04:06.000Z" }
        const known = ["a", "b é😀\n\u0000", "c"]
        const state = failed(succeeded(empty(target), "a", applied, known), failure, known)
        yield* save(state)
        assert.deepStrictEqual(yield* load, state)
        yield* save(empty(target))
        assert.deepStrictEqual(yield* load, empty(target))
      })
    )

    promise(
      "null stands for a hash and a run that nobody knows",
      Effect.gen(function* () {
        const { load, save } = yield* MigrationState
        const state = succeeded(empty(target), "a", { ...applied, hash: null, run: null }, ["a"])
        yield* save(state)
        assert.deepStrictEqual(yield* load, state)
      })
    )

    promise(
      "the last one saved wins, also of many",
      Effect.gen(function* () {
        const { load, save } = yield* MigrationState
        const ids = Array.from({ length: 50 }, (_, index) => `m${index}`)
        let state = empty(target)
        for (const id of ids) {
          state = succeeded(state, id, applied, ids)
          yield* save(state)
        }
        assert.deepStrictEqual((yield* load)?.completed, ids)
        assert.deepStrictEqual((yield* load)?.pending, [])
      })
    )
  })
}
