/** Transforms of many documents, and of values that are none: progress, and what is refused. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Progress from "../../src/internal/Progress.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import { refused } from "../contract/databases/support.ts"
import { broken, exactHash, failWith, migration, prepare, targets } from "../support/Migrating.ts"

const count = 250
const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("c", { attributes: [Attribute.integer("n"), Attribute.string("s", { size: 20 })] })
    for (let from = 0; from < count; from += 50) {
      const batch = Array.from({ length: 50 }, (_, index) => ({ $id: `d${from + index}`, n: from + index }))
      yield* db.createDocuments("c", batch)
    }
  })

for (const [name, target] of targets) {
  describe(`Migration.transformDocuments on ${name}`, () => {
    const test = (title: string, body: Effect.Effect<void, unknown, Migrator.Services>) =>
      it.live(title, () => Effect.provide(Effect.andThen(prepare(setup), body), target))

    test(
      "5,000 documents and more have no total: a fraction grows to 1, and the last update says that it is over",
      Effect.gen(function* () {
        const live = yield* Databases
        for (let from = count; from < 5100; from += 100) {
          const batch = Array.from({ length: Math.min(100, 5100 - from) }, (_, index) => ({ n: from + index }))
          yield* live.createDocuments("c", batch)
        }
        const updates: Array<Progress.Update> = []
        yield* Migrator.execute(migration("m", () => Migration.transformDocuments("c", () => undefined))).pipe(
          Effect.provideService(Progress.Progress, (update) => Effect.sync(() => void updates.push(update)))
        )
        assert.deepStrictEqual(
          updates.filter(({ total }) => total !== undefined),
          []
        )
        const fractions = updates.slice(1, -1).map(({ fraction }) => fraction ?? -1)
        assert.isAbove(fractions.length, 50)
        assert.isAbove(fractions[0]!, 0)
        assert.isBelow(fractions[0]!, 0.05)
        for (const [index, fraction] of fractions.entries()) assert.isAbove(fraction, fractions[index - 1] ?? 0)
        assert.strictEqual(fractions.at(-1), 1)
        assert.deepInclude(updates.at(-1), { done: 5100, finished: true })
      })
    )

    test(
      "one that fails half way says that it is over",
      Effect.gen(function* () {
        const updates: Array<Progress.Update> = []
        const failing = migration("m", () =>
          Migration.transformDocuments("c", ({ $id }) => ($id === "d150" ? broken : Effect.succeed({ s: "x" })))
        )
        yield* failWith("MigrationFailed", failing).pipe(
          Effect.provideService(Progress.Progress, (update) => Effect.sync(() => void updates.push(update)))
        )
        assert.isTrue(updates.at(-1)?.finished)
        assert.isBelow(updates.at(-1)!.done, count)
      })
    )

    test(
      "a value that is none is refused as the operation refuses it, with the document and the attribute",
      Effect.gen(function* () {
        const live = yield* Databases
        yield* live.createAttribute("c", Attribute.float("f"))
        yield* live.createAttribute("c", Attribute.datetime("d"))
        const before = yield* exactHash
        for (const [attribute, value] of [
          ["f", Number.NaN],
          ["f", Number.POSITIVE_INFINITY],
          ["d", new Date(0)],
          ["s", () => "x"],
          ["s", Symbol("x")]
        ] as ReadonlyArray<readonly [string, any]>) {
          const id = `${attribute} ${String(value)}`
          const caught = migration(`${id}, caught`, (db) =>
            Effect.gen(function* () {
              const changing = Migration.transformDocuments("c", ({ $id }) =>
                $id === "d120" ? { [attribute]: value } : undefined
              )
              const reason = yield* refused(
                Effect.provideService(changing, Databases, db),
                "InvalidDocument",
                "row_invalid_structure"
              )
              assert.deepStrictEqual([reason.id, reason.attribute], ["d120", attribute], id)
            })
          )
          assert.deepStrictEqual((yield* Migrator.execute(caught)).changes, [])
          assert.strictEqual(yield* exactHash, before)
          const error = yield* failWith(
            "MigrationFailed",
            migration(id, () =>
              Migration.transformDocuments("c", ({ $id }) => ($id === "d120" ? { [attribute]: value } : { n: 0 }))
            )
          )
          assert.include(error.detail, "d120")
          assert.include(error.detail, attribute)
          assert.strictEqual(yield* exactHash, before)
        }
      })
    )
  })
}
