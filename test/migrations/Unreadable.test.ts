/** Errors whose message throws when it is read: they stop a migration as any other does, and never its rollback. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import {
  assertNothingOpen,
  broken,
  exactHash,
  failWith,
  migration,
  prepare,
  savedState,
  targets
} from "../support/Migrating.ts"

/** An error that can't be read: whatever looks at its message fails in its turn. */
class Unreadable extends Error {
  override get message(): string {
    throw new Error("the message can't be read either")
  }
}

const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("people", {
      attributes: [Attribute.integer("age"), Attribute.string("note", { size: 20 })]
    })
    yield* db.createDocument("people", { $id: "p1", age: 30, note: "one" })
  })

for (const [name, target] of targets) {
  describe(`an error that can't be read on ${name}`, () => {
    it.live.each([
      ["fails", Effect.fail(new Unreadable())],
      ["dies", Effect.die(new Unreadable())],
      ["fails beside another", Effect.all([Effect.fail(new Unreadable()), broken], { concurrency: 2 })]
    ] as const)("up %s with it: all is undone, and the run is over", ([, failing]) =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const before = yield* exactHash
        const error = yield* failWith(
          "MigrationFailed",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.createCollection("new")
              yield* db.deleteAttribute("people", "note")
              yield* db.updateDocument("people", "p1", { age: 7 })
              yield* failing
            })
          )
        )
        assert.isNotEmpty(error.detail)
        assert.include(error.message, "nothing of it is left")
        assert.strictEqual(yield* exactHash, before)
        yield* assertNothingOpen
        assert.deepStrictEqual(
          (yield* savedState).failed.map((one) => [one.name, one.error]),
          [["m", error.detail]]
        )
        // It can be run again.
        yield* Migrator.execute(migration("m", (db) => db.createCollection("new")))
      }).pipe(Effect.provide(target))
    )

    it.live("a verification that fails with it undoes all as well", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const before = yield* exactHash
        const up = Databases.use((db) => db.createCollection("new"))
        yield* failWith("VerificationFailed", Migration.make({ id: "m", up, verify: Effect.die(new Unreadable()) }))
        assert.strictEqual(yield* exactHash, before)
        yield* assertNothingOpen
      }).pipe(Effect.provide(target))
    )

    it.live("an undo that fails with it is named, and the run is not thrown over", () =>
      Effect.gen(function* () {
        yield* prepare(setup)
        const before = yield* exactHash
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", (db) =>
            Effect.gen(function* () {
              yield* db.createCollection("new")
              yield* Migration.step({ name: "mail", do: Effect.void, undo: Effect.die(new Unreadable()) })
              yield* broken
            })
          )
        )
        assert.lengthOf(error.remaining, 1)
        assert.include(error.remaining[0], "step mail")
        assert.strictEqual(yield* exactHash, before)
      }).pipe(Effect.provide(target))
    )
  })
}
