/** Others who write while a migration runs: what they changed is left alone and named, all else comes back. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import * as Query from "../../src/Query.ts"
import { nextMillisecond } from "../contract/databases/support.ts"
import {
  assertNothingOpen,
  broken,
  exactHash,
  failWith,
  migration,
  prepare,
  runAndFail,
  savedState,
  type Target,
  targets
} from "../support/Migrating.ts"

const count = 250
const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.string("s", { size: 20 })] })
    for (let from = 0; from < count; from += 50) {
      yield* db.createDocuments(
        "c",
        Array.from({ length: 50 }, (_, index) => ({ $id: `d${from + index}`, n: from + index }))
      )
    }
  })
const on = (target: Target) => (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
  it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

for (const [name, target] of targets) {
  const test = on(target)

  describe(`others who write meanwhile, on ${name}`, () => {
    test(
      "a document that they changed is left alone and named; the others come back",
      Effect.gen(function* () {
        const live = yield* Databases
        const before = (yield* live.listDocuments("c", [Query.limit(count)])).documents
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* Migration.transformDocuments("c", () => ({ s: "ours" }))
              yield* db.deleteDocument("c", "d9")
              yield* db.createDocument("c", { $id: "made", n: 1 })
              yield* nextMillisecond
              yield* live.updateDocument("c", "d3", { s: "theirs" })
              yield* live.createDocument("c", { $id: "d9", s: "theirs" })
              yield* live.updateDocument("c", "made", { s: "theirs" })
              return yield* broken
            })
          )
        )
        assert.deepStrictEqual(error.conflicts.toSorted(), ["main/c/d3", "main/c/d9", "main/c/d9", "main/c/made"])
        assert.deepStrictEqual(error.remaining, [])
        for (const conflict of ["main/c/d3", "main/c/made"]) assert.include(error.message, conflict)
        const after = new Map(
          (yield* live.listDocuments("c", [Query.limit(count + 1)])).documents.map((one) => [one.$id, one])
        )
        for (const document of before) {
          const found = after.get(document.$id)
          if (document.$id === "d3" || document.$id === "d9") assert.strictEqual(found?.["s"], "theirs")
          else assert.deepStrictEqual(found, document)
        }
        assert.strictEqual(after.get("made")?.["s"], "theirs")
        // Nothing more can be done by itself: the run is over, and the state says so.
        yield* assertNothingOpen
        assert.deepStrictEqual(
          (yield* savedState).failed.map((failure) => failure.name),
          ["m"]
        )
      })
    )

    test(
      "a document that they deleted is left alone and named",
      Effect.gen(function* () {
        const live = yield* Databases
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.updateDocument("c", "d1", { n: -1 })
              yield* live.deleteDocument("c", "d1")
              return yield* broken
            })
          )
        )
        assert.deepStrictEqual(error.conflicts, ["main/c/d1"])
        assert.strictEqual((yield* live.listDocuments("c")).total, count - 1)
      })
    )

    test(
      "a collection, and a database, in which they wrote is kept and named",
      Effect.gen(function* () {
        const live = yield* Databases
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.createCollection("new", { attributes: [Attribute.integer("n")] })
              yield* db.createCollection("unused", { attributes: [Attribute.integer("n")] })
              yield* db.createDocument("new", { $id: "ours", n: 1 })
              yield* live.createDocument("new", { $id: "theirs", n: 2 })
              yield* db.createDatabase("second")
              yield* live.in("second").createCollection("theirs")
              return yield* broken
            })
          )
        )
        assert.lengthOf(error.conflicts, 2)
        assert.include(error.conflicts[0], "second")
        assert.include(error.conflicts[1], "main/new")
        assert.deepStrictEqual(
          (yield* live.listDocuments("new")).documents.map(({ $id }) => $id),
          ["theirs"]
        )
        assert.deepStrictEqual(
          (yield* live.listCollections).map(({ $id }) => $id),
          ["c", "new"]
        )
        assert.lengthOf(yield* live.in("second").listCollections, 1)
      })
    )

    test(
      "what they wrote into other documents, and into a collection that we deleted, stays through a rollback",
      Effect.gen(function* () {
        const live = yield* Databases
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            yield* db.updateDocument("c", "d1", { n: -1 })
            yield* db.deleteAttribute("c", "s")
            yield* live.updateDocument("c", "d2", { n: -2 })
            yield* db.deleteCollection("c")
            yield* live.createDocument("c", { $id: "theirs", n: 7 })
          })
        )
        assert.strictEqual((yield* live.getDocument("c", "d1"))["n"], 1)
        assert.strictEqual((yield* live.getDocument("c", "d2"))["n"], -2)
        assert.strictEqual((yield* live.getDocument("c", "theirs"))["n"], 7)
      })
    )

    test(
      "a fiber that `up` leaves behind can't write after the end, be it a success or a failure",
      Effect.gen(function* () {
        for (const fails of [false, true]) {
          const before = yield* exactHash
          const gate = yield* Deferred.make<void>()
          const lines: Array<string> = []
          let left: Fiber.Fiber<Exit.Exit<unknown, unknown>> | undefined
          yield* Effect.exit(
            Migrator.execute(
              migration(`m ${fails}`, (db) =>
                Effect.gen(function* () {
                  const late = Effect.gen(function* () {
                    yield* Deferred.await(gate)
                    const write = yield* Effect.exit(db.updateDocument("c", "d0", { n: -99 }))
                    const step = Migration.step({
                      name: "late",
                      do: Effect.sync(() => lines.push("a step ran")),
                      undo: Effect.void
                    })
                    yield* Effect.exit(step)
                    return write
                  })
                  left = yield* Effect.forkDetach(late)
                  if (fails) return yield* broken
                })
              )
            )
          )
          yield* Deferred.succeed(gate, undefined)
          const exit = yield* Fiber.join(left!)
          assert.isTrue(Exit.isFailure(exit))
          assert.include(JSON.stringify(exit), "ended")
          assert.strictEqual(yield* exactHash, before)
          assert.deepStrictEqual(lines, [], "a step after the end is never undone, so it must not run")
        }
      })
    )
  })
}
