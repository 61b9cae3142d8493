/**
 * For every k of a migration of many operations, a failure injected at operation k leaves the exact hash of the whole
 * server as it was before.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Attribute from "../../src/Attribute.ts"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import * as Index from "../../src/Index.ts"
import * as Migration from "../../src/Migration.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import * as Migrator from "../../src/Migrator.ts"
import { access, Write } from "../../src/Operation.ts"
import * as Query from "../../src/Query.ts"
import * as Failing from "../support/Failing.ts"
import { assertNothingOpen, exactHash, failWith, prepare, putAside, savedState, targets } from "../support/Migrating.ts"

const documents = 400

const setup = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("people", {
    name: "People",
    permissions: ['read("any")', 'write("user:ada")'],
    documentSecurity: true,
    attributes: [
      Attribute.string("name", { size: 50, required: true }),
      Attribute.string("email", { size: 60, required: true }),
      Attribute.integer("age", { min: 0, max: 150, default: 30 }),
      Attribute.string("tags", { size: 10, array: true }),
      Attribute.string("note", { size: 20, default: "none" }),
      Attribute.bigint("points", { default: 2n ** 60n }),
      Attribute.text("about")
    ],
    indexes: [
      Index.fulltext("words", ["about"]),
      Index.unique("by-email", ["email"]),
      Index.key("by-age-and-email", ["age", "email"], { orders: ["desc", "asc"] }),
      Index.key("by-name", ["name"])
    ]
  })
  for (let from = 0; from < documents; from += 100) {
    yield* db.createDocuments(
      "people",
      Array.from({ length: 100 }, (_, index) => ({
        $id: `p${from + index}`,
        name: `Name ${from + index} é😀`,
        email: `p${from + index}@example.org`,
        age: (from + index) % 90,
        tags: ["a", "b"],
        about: index % 3 === 0 ? "turtle soup" : "hare",
        $permissions: index % 3 === 0 ? [`read("user:u${index}")`] : []
      }))
    )
  }
  for (const id of ["parked", "replaced", "off"]) {
    yield* db.createCollection(id, {
      enabled: id !== "off",
      attributes: [Attribute.string("text", { size: 30 }), Attribute.float("n")],
      indexes: [Index.unique("u", ["text"])]
    })
    const rows = [1, 2, 3].map((n) => ({ $id: `d${n}`, text: `${id} ${n}`, n, $createdAt: `200${n}-01-02T03:04:05Z` }))
    yield* db.createDocuments(id, rows)
  }
  for (const id of ["second", "third"]) {
    yield* db.createDatabase(id, { name: `The ${id}` })
    yield* db.in(id).createCollection("c", { attributes: [Attribute.boolean("b")] })
    yield* db.in(id).createDocument("c", { $id: "d", b: true })
  }
})

/** An operation of each kind, and a transform over all documents. */
const up = Effect.fnUntraced(function* (db: Methods) {
  yield* db.createCollection("teams", {
    attributes: [Attribute.string("title", { size: 40 })],
    indexes: [Index.unique("title", ["title"])]
  })
  yield* db.createAttribute("people", Attribute.float("weight", { min: 0, max: 1 }))
  yield* db.renameAttribute("people", "name", "fullName")
  yield* db.updateAttribute("people", Attribute.integer("age", { min: -1, max: 200 }))
  yield* db.updateAttribute("people", Attribute.string("tags", { size: 20, array: true }))
  yield* Migration.transformDocuments("people", (document) => ({
    weight: Number(document["age"]) / 100,
    fullName: String(document["fullName"]).toUpperCase(),
    tags: [...(document["tags"] as ReadonlyArray<string>), "moved"]
  }))
  // Required, in a unique index and in one of two: five writes.
  yield* db.deleteAttribute("people", "email")
  yield* db.createAttribute("people", Attribute.integer("email"))
  yield* db.updateDocument("people", "p7", { email: 7, $permissions: [], $updatedAt: "2001-01-01T00:00:00Z" })
  yield* db.deleteIndex("people", "by-name")
  yield* db.createIndex("people", Index.key("by-name", ["fullName", "age"]))
  yield* db.createDocument("teams", { $id: "t1", title: "one" })
  yield* db.createDocuments("teams", [
    { $id: "t2", title: "two" },
    { $id: "t3", title: "three" }
  ])
  yield* db.deleteDocument("people", "p3")
  yield* db.createAttribute("people", Attribute.varchar("nick", { size: 20 }))
  yield* db.createIndex("people", Index.key("begin", ["about", "points"], { lengths: [8] }))
  // Several batches each: by a search, and by order, limit and offset.
  yield* db.updateDocuments("people", [Query.search("about", "turtle")], { about: "hare soup", nick: "t" })
  yield* db.deleteDocuments("people", [Query.orderDesc("fullName"), Query.limit(110), Query.offset(7)])
  yield* db.upsertDocument("people", { $id: "p9", fullName: "merged", points: -(2n ** 62n) })
  yield* db.upsertDocuments("people", [
    { $id: "P8", fullName: "merged too", tags: [] },
    { $id: "made", fullName: "made", about: "turtle" }
  ])
  yield* db.incrementAttribute("people", "p0", "points", { by: 2n ** 60n + 1n })
  yield* db.decrementAttribute("people", "p0", "age", { by: 100, min: -100 })
  yield* db.updateDocuments("people", [Query.search("about", "turtle")], { nick: "found" })
  yield* db.deleteAttribute("people", "about")
  yield* db.writeDocuments("off", [
    Write.cases.Delete.make({ id: "d1" }),
    Write.cases.Update.make({ id: "d2", changes: { text: "off 1" } }),
    Write.cases.Create.make({ document: { $id: "d4", text: "off 2" } })
  ])
  const before = yield* db.getDocument("off", "d3")
  yield* db.restoreDocuments("off", [{ id: "d3", expected: DatabaseHash.document(before), document: null }])
  yield* db.updateCollection("off", { name: "Now on", enabled: true, permissions: ['read("users")'] })
  yield* db.deleteCollection("parked")
  yield* db.deleteCollection("replaced")
  yield* db.createCollection("replaced", { attributes: [Attribute.boolean("other")] })
  yield* db.createDocument("replaced", { $id: "d1", other: true })
  yield* db.createDatabase("fourth")
  yield* db.in("fourth").createCollection("c", { attributes: [Attribute.boolean("b")] })
  yield* db.in("fourth").createDocument("c", { $id: "d", b: false })
  yield* db.updateDatabase("second", { name: "Renamed" })
  yield* db.deleteDatabase("second")
  yield* db.deleteDatabase("third")
  yield* db.createDatabase("third", { name: "Made anew" })
})

const migration = (wrap: (db: Methods) => Methods, verify?: Effect.Effect<string, DatabasesError, Databases>) =>
  Migration.make({
    id: "everything",
    up: Effect.flatMap(Databases, (db) => Effect.provideService(up(wrap(db)), Databases, Databases.of(wrap(db)))),
    verify
  })
const plain = migration((db) => db)

/** Everything is as it was before a run that failed, and the run says so. */
const assertUntouched = Effect.fnUntraced(function* (before: string, about: string) {
  assert.strictEqual(yield* exactHash, before, `${about}: the exact hash of the server`)
  assert.deepStrictEqual(yield* putAside, ["main/off"], about)
  yield* assertNothingOpen
  const { completed, failed, pending } = yield* savedState
  assert.deepStrictEqual(completed, [], about)
  assert.deepStrictEqual(pending, ["everything"], about)
  assert.deepStrictEqual(
    failed.map(({ name }) => name),
    ["everything"],
    about
  )
  return failed[0]!.error
})

for (const [name, target] of targets) {
  describe(`a migration that fails in the middle, on ${name}`, () => {
    const faulty = Failing.layer.pipe(Layer.provideMerge(target))

    it.live(
      "leaves the exact hash as it was, whichever operation on the live database fails; then it can succeed",
      () =>
        Effect.gen(function* () {
          yield* prepare(setup)
          const fault = yield* Failing.Fault
          const before = yield* exactHash
          // A run whose verification fails shows how many there are before the way back begins.
          const counted = { operations: 0 }
          const look = Effect.sync(() => {
            counted.operations = fault.seen().length
          })
          fault.arm()
          yield* failWith(
            "VerificationFailed",
            migration((db) => db, Effect.andThen(look, Effect.die("no")))
          )
          assert.include(yield* assertUntouched(before, "verify"), "no")
          assert.isAbove(counted.operations, 40)
          const kinds = new Set(fault.seen())
          for (const [tag, kind] of Object.entries(access)) {
            if (kind !== "read" && kind !== "stage") assert.include([...kinds], tag)
          }

          for (let k = 1; k <= counted.operations; k++) {
            fault.arm(k)
            const error = yield* failWith("MigrationFailed", plain)
            const about = `operation ${k} of ${counted.operations}, ${fault.seen()[k - 1]}`
            assert.include(error.message, "a fault was injected here", about)
            assert.include(yield* assertUntouched(before, about), "a fault was injected here")
          }
          fault.arm()
          assert.isTrue((yield* Migrator.execute(plain)).success)
          assert.notStrictEqual(yield* exactHash, before)
          assert.deepStrictEqual(yield* putAside, [])
          yield* assertNothingOpen
          assert.deepStrictEqual((yield* savedState).failed, [])
        }).pipe(Effect.provide(faulty))
    )

    it.live("leaves the exact hash as it was, whichever write the author's code breaks behind", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const before = yield* exactHash
        for (let k = 1; ; k++) {
          const result = yield* Effect.result(Migrator.execute(migration((db) => Failing.failAfter(db, k))))
          if (result._tag === "Success") {
            assert.isAbove(k, 25)
            break
          }
          assert.strictEqual(result.failure._tag, "MigrationFailed", result.failure.message)
          yield* assertUntouched(before, `behind write ${k}`)
        }
      }).pipe(Effect.provide(target))
    )

    it.live("names what could not be undone, undoes all else, and leaves the run open for a recovery", () =>
      Effect.gen(function* () {
        yield* prepare((db) =>
          Effect.andThen(
            db.createCollection("c", { attributes: [Attribute.integer("n")] }),
            db.createDocuments("c", [
              { $id: "a", n: 1 },
              { $id: "b", n: 1 },
              { $id: "d", n: 1 }
            ])
          )
        )
        const fault = yield* Failing.Fault
        const three = Migration.make({
          id: "three",
          up: Effect.flatMap(Databases, (db) =>
            Effect.forEach(["a", "b", "d", "nobody"], (id) => db.updateDocument("c", id, { n: 2 }))
          )
        })
        // Three writes are done, the fourth is refused; the way back is 5, 6 and 7.
        fault.arm(6)
        const error = yield* failWith("RollbackIncomplete", three)
        assert.deepStrictEqual(error.conflicts, [])
        assert.lengthOf(error.remaining, 1)
        assert.include(error.remaining[0], "UpdateDocument main/c/b")
        assert.include(error.remaining[0], "a fault was injected here")
        const { documents } = yield* (yield* Databases).listDocuments("c")
        assert.deepStrictEqual(
          documents.map((document) => document["n"]),
          [1, 2, 1]
        )
        const [open] = yield* (yield* MigrationJournal).open
        assert.strictEqual(open?.begin.migration, "three")
        assert.strictEqual(open?.location, error.journal)
        assert.include(error.message, error.journal)
        yield* failWith("RecoveryNeeded", three)
      }).pipe(Effect.provide(faulty))
    )

    it.live("behind the commit there is only the way forward: a purge that fails leaves the run open, committing", () =>
      Effect.gen(function* () {
        yield* prepare((db) =>
          Effect.gen(function* () {
            yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.integer("m")] })
            yield* db.createDocument("c", { $id: "a", n: 1, m: 2 })
            yield* db.createCollection("e")
          })
        )
        const fault = yield* Failing.Fault
        // Two writes park; 3 and 4 purge.
        fault.arm(4)
        const error = yield* failWith(
          "CommitIncomplete",
          Migration.make({
            id: "two",
            up: Effect.flatMap(Databases, (db) =>
              Effect.andThen(db.deleteAttribute("c", "m"), db.deleteCollection("e"))
            )
          })
        )
        assert.include(error.message, error.journal)
        assert.include(error.detail, "a fault was injected here")
        const [open] = yield* (yield* MigrationJournal).open
        assert.isTrue(open?.committing)
        const databases = yield* Databases
        assert.deepStrictEqual(yield* databases.listAttributes("c"), [Attribute.integer("n")])
        // It is neither applied nor failed: a recovery decides.
        const { completed, failed } = yield* savedState
        assert.deepStrictEqual([completed, failed], [[], []])
      }).pipe(Effect.provide(faulty))
    )
  })
}
