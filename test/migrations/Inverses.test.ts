/**
 * Every operation's case is walked forward, back and forward again by one harness; an operation without a case does
 * not compile.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Layer from "effect/Layer"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import * as Migrator from "../../src/Migrator.ts"
import { type Mutation } from "../../src/Operation.ts"
import { nextMillisecond } from "../contract/databases/support.ts"
import {
  assertNothingOpen,
  exactHash,
  migration,
  prepare,
  putAside,
  runAndFail,
  targets
} from "../support/Migrating.ts"

import { attributes } from "../support/inverses/Attributes.ts"
import { base, type Case, type Cases } from "../support/inverses/Base.ts"
import { collections } from "../support/inverses/Collections.ts"
import { documents } from "../support/inverses/Documents.ts"
import { byQuery } from "./inverses/ByQuery.ts"
import { counting } from "./inverses/Counting.ts"
import { kindCases } from "./inverses/Kinds.ts"

/** Complete by type: another operation asks for its cases here. */
const cases = { ...collections, ...attributes, ...documents, ...byQuery, ...counting } satisfies Record<
  Mutation["_tag"],
  Cases
>

/** The content that the operation leaves when a plain handle does it. */
const onTwin = ({ check, operation, setup }: Case) =>
  Effect.gen(function* () {
    const db = yield* Databases
    yield* base(db)
    if (setup !== undefined) yield* setup(db)
    yield* operation(db)
    yield* check(db)
    return yield* DatabaseHash.server(db, "content")
  }).pipe(Effect.provide(Layer.fresh(Embedded.memory)))

const walk = (one: Case) =>
  Effect.gen(function* () {
    const live = yield* Databases
    yield* prepare((db) => Effect.andThen(base(db), one.setup?.(db) ?? Effect.void))
    const before = yield* exactHash
    const aside = yield* putAside
    const inside = (db: Methods) => Effect.andThen(one.operation(db), one.check(db))
    for (const way of ["back", "back once more"]) {
      yield* runAndFail("case", inside)
      assert.strictEqual(yield* exactHash, before, way)
      assert.deepStrictEqual(yield* putAside, aside, way)
      yield* assertNothingOpen
      yield* nextMillisecond
    }
    const result = yield* Migrator.execute(migration("case", inside))
    assert.isTrue(result.success)
    assert.isNotEmpty(result.changes)
    yield* one.check(live)
    assert.strictEqual(
      yield* DatabaseHash.server(live, "content"),
      yield* onTwin(one),
      "as the plain operation leaves it"
    )
    yield* assertNothingOpen
  })

for (const [name, target] of targets) {
  describe(`forward, back and forward again, on ${name}`, () => {
    for (const [tag, variants] of [...Object.entries<Cases>(cases), ...Object.entries<Cases>(kindCases)]) {
      for (const one of variants) it.live(`${tag}: ${one.title}`, () => Effect.provide(walk(one), target))
    }
  })
}
