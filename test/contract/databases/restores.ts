/** Putting documents back as they were: exactly, repeatably, and never over what somebody else has changed. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import * as DatabaseHash from "../../../src/DatabaseHash.ts"
import type { Methods } from "../../../src/Databases.ts"
import type { Document } from "../../../src/Document.ts"
import * as Index from "../../../src/Index.ts"
import { batchLimit, type Restore } from "../../../src/Operation.ts"
import { idsOf, nextMillisecond, type Promised, withoutSequence } from "./support.ts"

const setUp = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("c", {
    attributes: [
      Attribute.string("a", { size: 20 }),
      Attribute.integer("n", { default: 7 }),
      Attribute.integer("list", { array: true })
    ]
  })
  return yield* db.createDocuments("c", [
    { $id: "a", a: "one", n: 1, list: [1, 2], $permissions: ['read("any")'] },
    { $id: "b", a: "two", n: 2 },
    { $id: "d", a: "three", n: 3, $createdAt: "2001-02-03T04:05:06.789+00:00" }
  ])
})
const back = (found: Document | null, wanted: Document | null): Restore => ({
  id: (found ?? wanted)!.$id,
  expected: found === null ? null : DatabaseHash.document(found),
  document: wanted
})
const all = (db: Methods) =>
  Effect.map(db.listDocuments("c"), ({ documents }) =>
    documents.map(withoutSequence).toSorted((left, right) => (left.$id < right.$id ? -1 : 1))
  )

export const restores = (promise: Promised): void => {
  promise("an updated document comes back as it was, its dates and permissions too", (db) =>
    Effect.gen(function* () {
      const [a, , d] = yield* setUp(db)
      yield* nextMillisecond
      const changed = yield* db.updateDocument("c", "a", { a: "x", n: null, list: [], $permissions: [] })
      const dated = yield* db.updateDocument("c", "d", { $createdAt: "2005-01-01" })
      const answer = yield* db.restoreDocuments("c", [back(changed, a!), back(dated, d!)])
      assert.deepStrictEqual(answer, { conflicts: [] })
      assert.deepStrictEqual(yield* db.getDocument("c", "a"), a)
      assert.deepStrictEqual(yield* db.getDocument("c", "d"), d)
    })
  )

  promise("a deleted document comes back, but for its $sequence, which is a new one", (db) =>
    Effect.gen(function* () {
      const created = yield* setUp(db)
      yield* Effect.forEach(["a", "d"], (id) => db.deleteDocument("c", id))
      yield* nextMillisecond
      const [a, b, d] = created
      assert.deepStrictEqual(yield* db.restoreDocuments("c", [back(null, a!), back(null, d!)]), { conflicts: [] })
      assert.deepStrictEqual(yield* all(db), [a!, b!, d!].map(withoutSequence))
      const next = yield* db.createDocument("c", { $id: "e", n: null })
      const sequences = [...(yield* db.listDocuments("c")).documents].map((one) => one.$sequence)
      assert.strictEqual(new Set(sequences).size, 4)
      assert.isTrue(sequences.every((sequence) => Number(sequence) <= Number(next.$sequence)))
    })
  )

  promise("a created document goes", (db) =>
    Effect.gen(function* () {
      const [a, b] = yield* setUp(db)
      yield* db.restoreDocuments("c", [back(a!, null), back(b!, null)])
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["d"])
    })
  )

  promise("values that the rules would not take any more, or would fill, come back as they were", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const nulls = yield* db.createDocument("c", { $id: "e", n: 100 })
      yield* db.createAttribute("c", Attribute.string("filled", { size: 5, default: "dflt" }))
      const before = yield* db.getDocument("c", "e")
      assert.isNull(before["filled"])
      const changed = yield* db.updateDocument("c", "e", { a: "x" })
      assert.strictEqual(changed["filled"], "dflt")
      yield* db.updateAttribute("c", Attribute.integer("n", { max: 10 }))
      assert.deepStrictEqual(yield* db.restoreDocuments("c", [back(changed, before)]), { conflicts: [] })
      assert.deepStrictEqual(yield* db.getDocument("c", "e"), { ...nulls, filled: null })
    })
  )

  promise("a restore can be repeated: what is as wanted counts as done, and stays untouched", (db) =>
    Effect.gen(function* () {
      const [a, b, d] = yield* setUp(db)
      yield* nextMillisecond
      const changed = yield* db.updateDocument("c", "a", { n: 9 })
      yield* db.deleteDocument("c", "b")
      const plan = [back(changed, a!), back(null, b!), back(d!, null)]
      yield* db.restoreDocuments("c", plan)
      const once = yield* db.listDocuments("c")
      yield* nextMillisecond
      assert.deepStrictEqual(yield* db.restoreDocuments("c", plan), { conflicts: [] })
      assert.deepStrictEqual(yield* db.listDocuments("c"), once)
    })
  )

  promise(
    "a document that somebody changed, made or deleted meanwhile is named and left alone; the others are done",
    (db) =>
      Effect.gen(function* () {
        const [a, b, d] = yield* setUp(db)
        yield* nextMillisecond
        const ours = yield* Effect.forEach(["a", "b", "d"], (id) => db.updateDocument("c", id, { n: 50 }))
        yield* nextMillisecond
        const theirs = yield* db.updateDocument("c", "a", { n: 51 })
        yield* db.deleteDocument("c", "b")
        const made = yield* db.createDocument("c", { $id: "made", n: 1 })
        const { conflicts } = yield* db.restoreDocuments("c", [
          back(ours[0]!, a!),
          back(ours[1]!, b!),
          back(ours[2]!, d!),
          { id: "made", expected: null, document: { ...made, n: 2 } }
        ])
        assert.deepStrictEqual(conflicts.toSorted(), ["a", "b", "made"])
        assert.deepStrictEqual(yield* all(db), [theirs, d!, made].map(withoutSequence))
      })
  )

  promise("a change of permissions or of a date alone is a change as well", (db) =>
    Effect.gen(function* () {
      const [a, b] = yield* setUp(db)
      const open = yield* db.updateDocument("c", "a", { $permissions: [], $updatedAt: a!.$updatedAt })
      const dated = yield* db.updateDocument("c", "b", { $updatedAt: "2001-01-01" })
      const { conflicts } = yield* db.restoreDocuments("c", [back(a!, null), back(b!, null)])
      assert.deepStrictEqual(conflicts.toSorted(), ["a", "b"])
      assert.deepStrictEqual(yield* db.getDocument("c", "a"), open)
      assert.deepStrictEqual(yield* db.getDocument("c", "b"), dated)
    })
  )

  promise("a value that went to another document meanwhile is a conflict of the document that wants it back", (db) =>
    Effect.gen(function* () {
      const [a, b] = yield* setUp(db)
      yield* db.createIndex("c", Index.unique("u", ["a"]))
      yield* db.deleteDocument("c", "a")
      yield* db.createDocument("c", { $id: "thief", a: "ONE" })
      const changed = yield* db.updateDocument("c", "b", { n: 9 })
      const answer = yield* db.restoreDocuments("c", [back(null, a!), back(changed, b!)])
      assert.deepStrictEqual(answer, { conflicts: ["a"] })
      assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), ["b", "d", "thief"])
      // The others of its batch are put back all the same.
      assert.strictEqual((yield* db.getDocument("c", "b"))["n"], 2)
    })
  )

  promise("a changed document whose old value went to another stays as it was found", (db) =>
    Effect.gen(function* () {
      const [a] = yield* setUp(db)
      yield* db.createIndex("c", Index.unique("u", ["a"]))
      const changed = yield* db.updateDocument("c", "a", { a: "other" })
      yield* db.createDocument("c", { $id: "thief", a: "one" })
      assert.deepStrictEqual(yield* db.restoreDocuments("c", [back(changed, a!)]), { conflicts: ["a"] })
      assert.deepStrictEqual(yield* db.getDocument("c", "a"), changed)
    })
  )

  promise("documents that have swapped their unique values, or passed one on, are put back together", (db) =>
    Effect.gen(function* () {
      const before = yield* setUp(db)
      const [a, b] = before
      yield* db.createIndex("c", Index.unique("u", ["a"]))
      yield* db.updateDocument("c", "a", { a: null })
      const swappedB = yield* db.updateDocument("c", "b", { a: "one" })
      const swappedA = yield* db.updateDocument("c", "a", { a: "two" })
      yield* db.deleteDocument("c", "d")
      const heir = yield* db.createDocument("c", { $id: "heir", a: "three" })
      const answer = yield* db.restoreDocuments("c", [
        back(swappedA, a!),
        back(swappedB, b!),
        back(null, before[2]!),
        back(heir, null)
      ])
      assert.deepStrictEqual(answer, { conflicts: [] })
      assert.deepStrictEqual(yield* all(db), before.map(withoutSequence))
    })
  )

  promise("one that must keep its value is in the way of another of the batch, and both are told", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("a", { size: 20 })],
        indexes: [Index.unique("u", ["a"])]
      })
      const before = yield* db.createDocuments("c", [
        { $id: "x", a: "1" },
        { $id: "y", a: "2" },
        { $id: "z", a: "3" }
      ])
      // In a circle: y takes the value of x, z that of y, x that of z.
      yield* db.updateDocument("c", "x", { a: "aside" })
      const y = yield* db.updateDocument("c", "y", { a: "1" })
      const z = yield* db.updateDocument("c", "z", { a: "2" })
      const x = yield* db.updateDocument("c", "x", { a: "3" })
      // Without x, z can't have its 3, and y not the 2 of z.
      const answer = yield* db.restoreDocuments("c", [back(y, before[1]!), back(z, before[2]!)])
      assert.deepStrictEqual(answer, { conflicts: ["y", "z"] })
      assert.deepStrictEqual(yield* all(db), [x, y, z].map(withoutSequence))
      const together = [back(x, before[0]!), back(y, before[1]!), back(z, before[2]!)]
      assert.deepStrictEqual(yield* db.restoreDocuments("c", together), { conflicts: [] })
      assert.deepStrictEqual(yield* all(db), before.map(withoutSequence))
    })
  )

  promise("RestoreDocuments takes up to 100", (db) =>
    Effect.gen(function* () {
      yield* setUp(db)
      const missing = Array.from({ length: batchLimit + 1 }, (_, index): Restore => ({
        id: `m${index}`,
        expected: null,
        document: null
      }))
      const error = yield* Effect.flip(db.restoreDocuments("c", missing)).pipe(
        Effect.catch((answer) => Effect.die(answer))
      )
      assert.include(["InvalidArgument", "LimitExceeded"], error.reason._tag)
      assert.deepStrictEqual(yield* db.restoreDocuments("c", missing.slice(1)), { conflicts: [] })
    })
  )
}
