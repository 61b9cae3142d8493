/** The rules by which the state grows. */
import { assert, describe, it } from "@effect/vitest"
import { empty, failed, succeeded } from "../src/MigrationState.ts"

describe("the rules of the state", () => {
  const target = { id: "t", label: "T" }
  const applied = { at: "2026-01-01T00:00:00.000Z", duration: 1, hash: null, run: "r" }
  const failure = (name: string, error = "no") => ({ name, error, timestamp: "2026-01-01T00:00:00.000Z" })
  const known = ["a", "b", "c"]

  it("a success is added once, at the end, and clears the failure of its id alone", () => {
    let state = failed(failed(empty(target), failure("a"), known), failure("b"), known)
    state = succeeded(state, "b", applied, known)
    state = succeeded(state, "a", applied, known)
    assert.deepStrictEqual([state.completed, state.pending, state.failed], [["b", "a"], ["c"], []])
    const again = succeeded(state, "b", { ...applied, duration: 2 }, known)
    assert.deepStrictEqual(again.completed, ["a", "b"])
    assert.strictEqual(again.holdfast.applied["b"]?.duration, 2)
    assert.deepStrictEqual(Object.keys(again.holdfast.applied).toSorted(), ["a", "b"])
  })

  it("a failure keeps the last of each id, and completes nothing", () => {
    const once = failed(empty(target), failure("b", "first"), known)
    const state = failed(failed(once, failure("c"), known), failure("b", "second"), known)
    assert.deepStrictEqual(
      state.failed.map(({ error, name }) => [name, error]),
      [
        ["c", "no"],
        ["b", "second"]
      ]
    )
    assert.deepStrictEqual([state.completed, state.pending], [[], known])
    // What went before is not changed under somebody's hands.
    assert.lengthOf(once.failed, 1)
    assert.deepStrictEqual(empty(target).failed, [])
  })

  it("pending is what is known and not completed, in its order, whatever was pending before", () => {
    const state = succeeded(empty(target), "b", applied, ["c", "b", "a"])
    assert.deepStrictEqual(state.pending, ["c", "a"])
    assert.deepStrictEqual(succeeded(state, "c", applied, ["c", "d"]).pending, ["d"])
  })
})
