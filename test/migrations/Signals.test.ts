/** What signals do to a run in another process: SIGINT and SIGTERM take it back, SIGKILL leaves it to a recovery. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Attribute from "../../src/Attribute.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import * as Index from "../../src/Index.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import { MigrationLock } from "../../src/MigrationLock.ts"
import * as Migrator from "../../src/Migrator.ts"
import * as Query from "../../src/Query.ts"
import * as Child from "../support/Child.ts"
import {
  assertNothingOpen,
  backups,
  exactHash,
  failWith,
  migration,
  onFile,
  prepare,
  putAside,
  savedState,
  temporaryFolder
} from "../support/Migrating.ts"

const documents = 4000
const setup = (db: Methods) =>
  Effect.gen(function* () {
    yield* db.createCollection("c", {
      attributes: [
        Attribute.integer("n"),
        Attribute.string("s", { size: 30 }),
        Attribute.string("old", { size: 10, required: true })
      ],
      indexes: [Index.unique("u", ["old", "n"])]
    })
    for (let from = 0; from < documents; from += 100) {
      yield* db.createDocuments(
        "c",
        Array.from({ length: 100 }, (_, index) => ({
          $id: `d${from + index}`,
          n: from + index,
          s: `é😀 ${from + index}`,
          old: "old",
          $permissions: ['read("any")']
        }))
      )
    }
    yield* db.createCollection("dropped", { attributes: [Attribute.integer("n")] })
    yield* db.createDocument("dropped", { $id: "d", n: 1 })
  })

/** A target that is prepared, and another process in the middle of migrating it. */
const migrating = Effect.gen(function* () {
  const folder = yield* temporaryFolder
  const on = <A, E>(body: Effect.Effect<A, E, Migrator.Services>) =>
    Effect.provide(body, onFile(folder), { local: true })
  const before = yield* on(Effect.andThen(prepare(setup), exactHash))
  const child = yield* Child.start("transforming.ts", folder)
  yield* child.line("in the middle")
  return { before, child, folder, on }
})

const changed = Effect.flatMap(Databases, (db) =>
  Effect.map(db.listDocuments("c", [Query.isNotNull("half"), Query.limit(1)]), ({ total }) => total)
)

describe("a run in another process", () => {
  for (const [signal, codes] of [
    ["SIGINT", [130]],
    ["SIGTERM", [130, 143]]
  ] as const) {
    it.live(`is taken back on ${signal}: the exact hash as before, no open run, the lock free`, () =>
      Effect.gen(function* () {
        const { before, child, on } = yield* migrating
        // It is in the middle: others see what it has written.
        assert.isAbove(yield* on(changed), documents / 2)
        assert.strictEqual(
          (yield* on(
            failWith(
              "LockHeld",
              migration("other", () => Effect.void)
            )
          )).holder?.pid,
          child.pid
        )
        yield* child.kill(signal)
        const { code, signal: by } = yield* child.ended
        assert.isNull(by)
        assert.include(codes, code)
        yield* on(
          Effect.gen(function* () {
            assert.strictEqual(yield* exactHash, before)
            assert.deepStrictEqual(yield* putAside, [])
            yield* assertNothingOpen
            assert.isUndefined(yield* (yield* MigrationLock).holder)
            const { completed, failed } = yield* savedState
            assert.deepStrictEqual(completed, [])
            assert.deepInclude(failed[0], { name: "transform", error: "interrupted" })
            // And the way is free for others.
            assert.isTrue((yield* Migrator.execute(migration("other", () => Effect.void))).success)
          })
        )
      })
    )
  }

  it.live("that is killed is named by the next start, with its migration and its process, and nothing is touched", () =>
    Effect.gen(function* () {
      const { before, child, folder, on } = yield* migrating
      yield* child.kill("SIGKILL")
      assert.strictEqual((yield* child.ended).signal, "SIGKILL")
      const state = join(backups(folder), "migration-state.json")
      const look = Effect.gen(function* () {
        return {
          hash: yield* on(exactHash),
          state: readFileSync(state, "utf8"),
          files: new Set(readdirSync(backups(folder), { recursive: true, encoding: "utf8" }))
        }
      })
      const found = yield* look
      assert.notStrictEqual(found.hash, before)
      assert.isAbove(yield* on(changed), documents / 2)

      const next = yield* Child.start("transforming.ts", folder, "next")
      const line = yield* next.line("failed RecoveryNeeded")
      assert.strictEqual((yield* next.ended).code, 1)
      yield* on(
        Effect.gen(function* () {
          const [run, ...others] = yield* (yield* MigrationJournal).open
          assert.deepStrictEqual(others, [])
          assert.isDefined(run)
          assert.strictEqual(run.begin.migration, "transform")
          assert.strictEqual(run.begin.holder.pid, child.pid)
          assert.strictEqual(run.last, "WriteDocuments main/c")
          assert.isFalse(run.committing)
          for (const word of [
            run.begin.run,
            "transform",
            `process ${child.pid}`,
            "WriteDocuments main/c",
            run.location
          ]) {
            assert.include(line, word)
          }
        })
      )
      const tagOf = <A, E extends { readonly _tag: string }>(start: Effect.Effect<A, E, Migrator.Services>) =>
        on(Effect.map(Effect.flip(start), ({ _tag }) => _tag))
      assert.strictEqual(yield* tagOf(Migrator.executeAll([])), "RecoveryNeeded")
      assert.strictEqual(yield* tagOf(Migrator.baseline([])), "RecoveryNeeded")
      assert.strictEqual(yield* tagOf(Migrator.execute(migration("transform", () => Effect.void))), "RecoveryNeeded")
      const status = yield* on(Migrator.status([]))
      assert.lengthOf(status.open, 1)
      assert.notProperty(status, "holder")
      assert.deepStrictEqual(yield* look, found)
    })
  )
})
