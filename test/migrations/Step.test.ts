/** Effects outside `Databases`: done, undone, and named where they can't be. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Migration from "../../src/Migration.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import * as Migrator from "../../src/Migrator.ts"
import {
  assertNothingOpen,
  type Body,
  broken,
  exactHash,
  failWith,
  migration,
  prepare,
  runAndFail,
  targets
} from "../support/Migrating.ts"

const setup = (db: Methods) => db.createCollection("c", { attributes: [Attribute.integer("n")] })

/** Steps write what happens to them into a list. */
const diary = () => {
  const lines: Array<string> = []
  const say = (line: string) => Effect.sync(() => void lines.push(line))
  return { lines, say }
}

for (const [name, target] of targets) {
  describe(`Migration.step on ${name}`, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
      it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

    test(
      "does its effect, answers what it answers, and stands in `changes`",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const { changes } = yield* Migrator.execute(
          migration("m", () =>
            Effect.gen(function* () {
              const answer = yield* Migration.step({ name: "send it", do: Effect.as(say("do"), 42), undo: say("undo") })
              assert.strictEqual(answer, 42)
            })
          )
        )
        assert.deepStrictEqual(lines, ["do"])
        assert.deepStrictEqual(changes, ["did send it"])
        yield* assertNothingOpen
      })
    )

    test(
      "its undo runs when the migration fails, in reverse order with the other writes",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const before = yield* exactHash
        yield* runAndFail("m", (db) =>
          Effect.gen(function* () {
            const count = Effect.flatMap(db.listDocuments("c"), ({ total }) => say(`undo, with ${total} documents`))
            yield* db.createDocument("c", { $id: "a", n: 1 })
            yield* Migration.step({ name: "one", do: say("do one"), undo: Effect.andThen(say("one"), count) })
            yield* db.createDocument("c", { $id: "b", n: 1 })
            yield* Migration.step({ name: "two", do: say("do two"), undo: Effect.andThen(say("two"), count) })
          })
        )
        assert.deepStrictEqual(lines, [
          "do one",
          "do two",
          "two",
          "undo, with 2 documents",
          "one",
          "undo, with 1 documents"
        ])
        assert.strictEqual(yield* exactHash, before)
        yield* assertNothingOpen
      })
    )

    test(
      "its undo may use `Databases` as the step did, in a migration and in a savepoint that fails",
      Effect.gen(function* () {
        const before = yield* exactHash
        const one = (id: string) =>
          Migration.step({
            name: id,
            do: Databases.use((db) => db.listDocuments("c")),
            // What it writes and takes away again stands for whatever an undo needs the database for.
            undo: Databases.use((db) =>
              Effect.andThen(db.createDocument("c", { $id: id, n: 1 }), db.deleteDocument("c", id))
            )
          })
        yield* runAndFail("m", () => one("first"))
        assert.strictEqual(yield* exactHash, before)
        yield* assertNothingOpen
        yield* Migrator.execute(
          migration("m", () => Effect.ignore(Migration.scoped(Effect.andThen(one("second"), broken))))
        )
        assert.strictEqual(yield* exactHash, before)
      })
    )

    test(
      "its undo runs when the verification fails",
      Effect.gen(function* () {
        const { lines, say } = diary()
        yield* failWith(
          "VerificationFailed",
          Migration.make({
            id: "m",
            up: Migration.step({ name: "one", do: say("do"), undo: say("undo") }),
            verify: broken
          })
        )
        assert.deepStrictEqual(lines, ["do", "undo"])
      })
    )

    test(
      "a step that fails is undone too: it may have done half of its work",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const error = yield* failWith(
          "MigrationFailed",
          migration("m", () =>
            Migration.step({ name: "one", do: Effect.andThen(say("do"), broken), undo: say("undo") })
          )
        )
        assert.strictEqual(error.detail, "the author's code broke")
        assert.deepStrictEqual(lines, ["do", "undo"])
      })
    )

    test(
      "in a savepoint that fails it is undone with it, and only then",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const one = (name: string) => Migration.step({ name, do: say(`do ${name}`), undo: say(`undo ${name}`) })
        const { changes } = yield* Migrator.execute(
          migration("m", () =>
            Effect.gen(function* () {
              yield* one("first")
              yield* Effect.ignore(Migration.scoped(Effect.andThen(one("second"), broken)))
              yield* say("goes on")
            })
          )
        )
        assert.deepStrictEqual(lines, ["do first", "do second", "undo second", "goes on"])
        assert.deepStrictEqual(changes, ["did first"])
      })
    )

    test(
      "without undo it is refused before it does anything, with what to do about it",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const before = yield* exactHash
        const error = yield* failWith(
          "MigrationFailed",
          migration("m", (db) =>
            Effect.andThen(
              db.createDocument("c", { $id: "a", n: 1 }),
              Migration.step({ name: "send it", do: say("do") })
            )
          )
        )
        assert.include(error.detail, '"send it" has no undo')
        assert.include(error.detail, "irreversible")
        assert.deepStrictEqual(lines, [])
        assert.strictEqual(yield* exactHash, before)
      })
    )

    test(
      "without undo, in a migration that says why: it runs, and nothing is said of it where all goes well",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const up = () => Migration.step({ name: "send it", do: say("do") })
        const result = yield* Migrator.execute(migration("m", up, { irreversible: "mail can't be called back" }))
        assert.isTrue(result.success)
        assert.deepStrictEqual(lines, ["do"])
        yield* assertNothingOpen
      })
    )

    test(
      "an irreversible step is named when the migration fails; all else is undone; the run stays open",
      Effect.gen(function* () {
        const before = yield* exactHash
        const up = (db: Methods): Body =>
          Effect.gen(function* () {
            yield* db.createDocument("c", { $id: "a", n: 1 })
            yield* Migration.step({ name: "send it", do: Effect.void })
            yield* db.createDocument("c", { $id: "b", n: 1 })
            return yield* broken
          })
        const error = yield* failWith("RollbackIncomplete", migration("m", up, { irreversible: "mail" }))
        assert.lengthOf(error.remaining, 1)
        assert.include(error.remaining[0], "step send it")
        assert.deepStrictEqual(error.conflicts, [])
        assert.include(error.message, "send it")
        assert.include(error.message, "the author's code broke")
        assert.strictEqual(yield* exactHash, before)
        const [open] = yield* (yield* MigrationJournal).open
        assert.strictEqual(open?.begin.migration, "m")
      })
    )

    test(
      "an undo that fails or dies is named with its reason, and the others run all the same",
      Effect.gen(function* () {
        const { lines, say } = diary()
        const error = yield* failWith(
          "RollbackIncomplete",
          migration("m", () =>
            Effect.gen(function* () {
              yield* Migration.step({ name: "first", do: say("do 1"), undo: say("undo 1") })
              yield* Migration.step({ name: "second", do: say("do 2"), undo: Effect.fail(new Error("no way back")) })
              yield* Migration.step({ name: "third", do: say("do 3"), undo: Effect.die(new Error("a bug")) })
              yield* Migration.step({ name: "fourth", do: say("do 4"), undo: say("undo 4") })
              return yield* broken
            })
          )
        )
        assert.deepStrictEqual(lines, ["do 1", "do 2", "do 3", "do 4", "undo 4", "undo 1"])
        assert.deepStrictEqual(error.remaining, ["step third: a bug", "step second: no way back"])
      })
    )
  })
}
