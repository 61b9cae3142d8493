/** Generated strings through the service: order, equality and uniqueness are those of the reference rule. */
import { assert } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Methods } from "../../../src/Databases.ts"
import type { DatabasesError } from "../../../src/DatabasesError.ts"
import * as Index from "../../../src/Index.ts"
import * as Query from "../../../src/Query.ts"
import * as Reference from "../../support/ReferenceCollation.ts"
import { anyString, collidingString, latinString, tellingString } from "../../support/Strings.ts"
import { idsOf, type Promised } from "./support.ts"

const sources = {
  "colliding strings": collidingString,
  "telling strings": tellingString,
  "latin strings": latinString,
  "any strings": anyString
}
const runs = 40

/** Checks `property` on generated lists, each under a number of its own, so that they can share one collection. */
const check = (
  strings: Arbitrary.Arbitrary<string>,
  property: (texts: ReadonlyArray<string>, run: number) => Effect.Effect<void, DatabasesError>
) =>
  Effect.suspend(() => {
    let run = 0
    return Arbitrary.checkEffect(
      Arbitrary.array(strings, { minLength: 1, maxLength: 16 }),
      (texts) => Effect.as(property(texts, run++), true),
      { runs }
    ).pipe(
      Effect.map((result) => {
        const failure = Arbitrary.formatCheckFailure(result)
        if (failure !== undefined) assert.fail(failure)
      })
    )
  })

const create = (db: Methods, indexes: ReadonlyArray<Index.Index>) =>
  db.createCollection("c", {
    attributes: [Attribute.integer("run", { required: true }), Attribute.string("text", { size: 16 })],
    indexes
  })
const list = (db: Methods, run: number, ...queries: ReadonlyArray<Query.Query>) =>
  Effect.map(
    db.listDocuments("c", [Query.equal("run", run), Query.limit(100), ...queries], { total: false }),
    ({ documents }) => idsOf(documents)
  )

export const properties = (promise: Promised): void => {
  for (const [name, strings] of Object.entries(sources)) {
    for (const indexes of [[], [Index.key("by", ["text"])]]) {
      promise(
        `order, equality and comparison of ${name} are the server's, ${indexes.length === 0 ? "without" : "with"} an index`,
        (db) =>
          Effect.gen(function* () {
            yield* create(db, indexes)
            yield* check(strings, (texts, run) =>
              Effect.gen(function* () {
                const rows = texts.map((text, index) => ({ $id: `r${run}-${index}`, run, text }))
                const created = yield* db.createDocuments("c", rows)
                assert.deepStrictEqual(
                  created.map((document) => document["text"]),
                  [...texts]
                )
                const up = rows.toSorted((left, right) => Reference.compare(left.text, right.text))
                const down = rows.toSorted((left, right) => Reference.compare(right.text, left.text))
                assert.deepStrictEqual(yield* list(db, run, Query.orderAsc("text")), idsOf(up))
                assert.deepStrictEqual(yield* list(db, run, Query.orderDesc("text")), idsOf(down))
                const probe = texts[0]!
                const where = (holds: (sign: number) => boolean) =>
                  idsOf(rows.filter((row) => holds(Reference.compare(row.text, probe))))
                assert.deepStrictEqual(
                  yield* list(db, run, Query.equal("text", probe)),
                  where((sign) => sign === 0)
                )
                assert.deepStrictEqual(
                  yield* list(db, run, Query.notEqual("text", probe)),
                  where((sign) => sign !== 0)
                )
                assert.deepStrictEqual(
                  yield* list(db, run, Query.lessThan("text", probe)),
                  where((sign) => sign < 0)
                )
                assert.deepStrictEqual(
                  yield* list(db, run, Query.greaterThanEqual("text", probe)),
                  where((sign) => sign >= 0)
                )
              })
            )
          })
      )
    }

    promise(`a unique index takes exactly those of ${name} that differ under the server's rule`, (db) =>
      Effect.gen(function* () {
        yield* create(db, [Index.unique("u", ["run", "text"])])
        yield* check(strings, (texts, run) =>
          Effect.gen(function* () {
            const taken: Array<string> = []
            for (const [index, text] of texts.entries()) {
              const result = yield* Effect.result(db.createDocument("c", { $id: `r${run}-${index}`, run, text }))
              const free = taken.every((other) => !Reference.equals(other, text))
              assert.strictEqual(
                result._tag === "Success" ? "taken" : result.failure.reason._tag,
                free ? "taken" : "UniqueConflict",
                JSON.stringify([...taken, text])
              )
              if (free) taken.push(text)
            }
          })
        )
      })
    )
  }
}
