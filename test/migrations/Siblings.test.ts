/** Savepoints beside other fibers of the same migration: siblings that write meanwhile, children that outlive them. */
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import { idsOf, refused } from "../contract/databases/support.ts"
import {
  assertNothingOpen,
  broken,
  exactHash,
  failWith,
  migration,
  prepare,
  runAndFail,
  targets
} from "../support/Migrating.ts"

const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("c", { attributes: [Attribute.float("f"), Attribute.boolean("b")] })
    yield* db.createDocuments("c", [
      { $id: "d1", f: 1, b: false },
      { $id: "d2", f: 2, b: false }
    ])
  })

for (const [name, target] of targets) {
  describe(`Migration.scoped beside siblings on ${name}`, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
      it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

    /** A savepoint that writes `d1`, lets its sibling write `theirs`, and fails. */
    const beside = (db: Methods, theirs: string) =>
      Effect.gen(function* () {
        const ours = yield* Deferred.make<void>()
        const done = yield* Deferred.make<void>()
        const scope = Migration.scoped(
          Effect.gen(function* () {
            yield* db.updateDocument("c", "d1", { f: 77 })
            yield* Deferred.succeed(ours, undefined)
            yield* Deferred.await(done)
            return yield* broken
          })
        )
        const sibling = Effect.gen(function* () {
          yield* Deferred.await(ours)
          yield* db.updateDocument("c", theirs, { b: true })
          yield* Deferred.succeed(done, undefined)
        })
        yield* Effect.all([Effect.ignore(scope), sibling], { concurrency: 2 })
      })

    test(
      "that wrote the same document since: neither can be kept alone, so the whole migration is undone",
      Effect.gen(function* () {
        const before = yield* exactHash
        const error = yield* failWith(
          "MigrationFailed",
          migration("m", (db) => beside(db, "d1"))
        )
        assert.include(error.detail, "savepoint")
        assert.strictEqual(yield* exactHash, before)
        yield* assertNothingOpen
      })
    )

    test(
      "that wrote another document: only the savepoint is undone, and the sibling's write stays",
      Effect.gen(function* () {
        const result = yield* Migrator.execute(migration("m", (db) => beside(db, "d2")))
        assert.deepStrictEqual(result.changes, ["updated 1 document in c"])
        const live = yield* Databases
        const [d1, d2] = [yield* live.getDocument("c", "d1"), yield* live.getDocument("c", "d2")]
        assert.deepStrictEqual([d1["f"], d1["b"], d2["f"], d2["b"]], [1, false, 2, true])
      })
    )

    test(
      "that wrote another document, in a migration that fails later: all is as before",
      Effect.gen(function* () {
        const before = yield* exactHash
        yield* runAndFail("m", (db) => beside(db, "d2"))
        assert.strictEqual(yield* exactHash, before)
      })
    )

    test(
      "a child that outlives its savepoint leaves nothing of it, and its later writes are refused",
      Effect.gen(function* () {
        const live = yield* Databases
        yield* Migrator.execute(
          migration("m", (db) =>
            Effect.gen(function* () {
              const writing = yield* Deferred.make<void>()
              const over = yield* Deferred.make<void>()
              let written = 0
              const creates = Effect.gen(function* () {
                for (let count = 0; count < 500; count++) {
                  yield* db.createDocument("c", { $id: `child${count}`, f: count })
                  written++
                  if (count === 5) yield* Deferred.succeed(writing, undefined)
                  yield* Effect.yieldNow
                }
              })
              const child = Effect.gen(function* () {
                const reason = yield* refused(creates, "Unavailable", "general_unknown")
                assert.include(reason.detail, "the savepoint has ended")
                // Long after, it is refused all the same.
                yield* Deferred.await(over)
                yield* refused(db.createDocument("c", { $id: "late", f: 0 }), "Unavailable", "general_unknown")
                yield* refused(db.deleteCollection("c"), "Unavailable", "general_unknown")
                const step = Migration.step({ name: "late", do: Effect.void, undo: Effect.void })
                assert.include((yield* Effect.flip(step)).message, "the savepoint has ended")
              })
              let fiber: Fiber.Fiber<void, unknown> | undefined
              yield* Effect.ignore(
                Migration.scoped(
                  Effect.gen(function* () {
                    fiber = yield* Effect.forkChild(child)
                    yield* Effect.raceFirst(Deferred.await(writing), Fiber.join(fiber))
                    return yield* broken
                  })
                )
              )
              assert.isAtLeast(written, 6)
              assert.deepStrictEqual(idsOf((yield* live.listDocuments("c")).documents), ["d1", "d2"])
              // The migration itself goes on.
              yield* db.createDocument("c", { $id: "own", f: 0 })
              yield* Deferred.succeed(over, undefined)
              yield* Fiber.join(fiber!)
            })
          )
        )
        assert.deepStrictEqual(idsOf((yield* live.listDocuments("c")).documents), ["d1", "d2", "own"])
        yield* assertNothingOpen
      })
    )
  })
}
