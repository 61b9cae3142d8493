/** What tests of migrations share: targets with all that a run needs, and how one looks from outside. */
import { assert } from "@effect/vitest"
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as DatabaseHash from "../../src/DatabaseHash.ts"
import { Databases, type Methods } from "../../src/Databases.ts"
import type { DatabasesError } from "../../src/DatabasesError.ts"
import * as BackupFolder from "../../src/layers/backups/FileSystem.ts"
import * as BackupMemory from "../../src/layers/backups/Memory.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import * as FileJournal from "../../src/layers/migrations/FileJournal.ts"
import * as FileState from "../../src/layers/migrations/FileState.ts"
import * as Memory from "../../src/layers/migrations/Memory.ts"
import * as SqliteLock from "../../src/layers/migrations/SqliteLock.ts"
import { type Migration, type MigrationRun, make } from "../../src/Migration.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import { MigrationState, type State } from "../../src/MigrationState.ts"
import * as Migrator from "../../src/Migrator.ts"
import type { MigratorError, RunError } from "../../src/MigratorError.ts"
import { nextMillisecond } from "../contract/databases/support.ts"

/** A folder of its own, removed with the scope. */
export const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-migrations-"))),
  (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
)

export type Target = Layer.Layer<Migrator.Services, DatabasesError>

/** All in this process. */
export const memory: Target = Layer.mergeAll(Embedded.memory, Memory.layer, BackupMemory.layer)

/** Where a target on a file keeps its things. */
export const database = (folder: string): string => join(folder, "app.db")
export const backups = (folder: string): string => join(folder, "backups")

/** A file, with state, lock and journal beside it, as the program puts them. */
export const onFile = (folder: string): Target =>
  Layer.mergeAll(
    Embedded.layer({ filename: database(folder) }),
    FileState.layer(backups(folder)),
    SqliteLock.layer(database(folder)),
    FileJournal.layer(backups(folder)),
    BackupFolder.layer(backups(folder))
  ).pipe(Layer.provide(NodeServices.layer))

/** The same in a folder of its own for each building. */
export const file: Target = Layer.unwrap(Effect.map(temporaryFolder, onFile))

export const targets: ReadonlyArray<readonly [name: string, target: Target]> = [
  ["memory", memory],
  ["a file", file]
]

/** What a target holds before its migrations, and a state that knows of it. */
export const prepare = Effect.fnUntraced(function* (
  setup: (databases: Methods) => Effect.Effect<unknown, DatabasesError>
) {
  yield* setup(yield* Databases)
  yield* Migrator.baseline([])
  // So that a date written by a run differs from those that stand there.
  yield* nextMillisecond
})

/** All that counts of a server, dates included. */
export const exactHash = Effect.flatMap(Databases, (databases) => DatabaseHash.server(databases))

/** The state as it is written. */
export const savedState: Effect.Effect<State, unknown, MigrationState> = Effect.gen(function* () {
  const state = yield* (yield* MigrationState).load
  assert.isDefined(state, "no state was written")
  return state
})

/** No run is open. */
export const assertNothingOpen = Effect.gen(function* () {
  assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
})

/** Databases and collections that are disabled, and parked attributes: what a run that is over leaves as it found. */
export const putAside = Effect.gen(function* () {
  const databases = yield* Databases
  const found: Array<string> = []
  for (const { $id: database, enabled } of yield* databases.listDatabases) {
    if (!enabled) found.push(database)
    for (const collection of yield* databases.in(database).listCollections) {
      if (!collection.enabled) found.push(`${database}/${collection.$id}`)
      for (const { key } of collection.attributes) {
        if (key.startsWith("zz_")) found.push(`${database}/${collection.$id}/${key}`)
      }
    }
  }
  return found.toSorted()
})

/** Nothing is put aside, but for these. */
export const assertNothingParked = (but: ReadonlyArray<string> = []) =>
  Effect.map(putAside, (found) => assert.deepStrictEqual(found, but))

/** What `up` of a migration may need. */
export type Body<A = unknown, E = unknown> = Effect.Effect<A, E, Databases | MigrationRun>

/** A migration whose body gets the handle. */
export const migration = (id: string, up: (databases: Methods) => Body, more?: { readonly irreversible?: string }) =>
  make({ id, up: Effect.flatMap(Databases, up), ...more })

/** What the author's code comes to when it breaks. */
export class Broken extends Error {
  constructor(message = "the author's code broke") {
    super(message)
  }
}
export const broken = Effect.fail(new Broken())

/** Runs a migration that must fail with an error of this tag, and answers the error. */
export const failWith = <T extends MigratorError["_tag"]>(
  tag: T,
  one: Migration | Migrator.Source,
  options?: Migrator.ExecuteOptions
): Effect.Effect<Extract<MigratorError, { readonly _tag: T }>, never, Migrator.Services> =>
  Effect.map(Effect.result(Migrator.execute(one, options)), (result) => {
    if (result._tag === "Success") return assert.fail(`expected ${tag}, but it succeeded`)
    assert.strictEqual(result.failure._tag, tag, result.failure.message)
    return result.failure as Extract<MigratorError, { readonly _tag: T }>
  })

/** The error of a result, which must be of this tag. */
export const errorOf = <T extends NonNullable<Migrator.Result["error"]>["_tag"]>(tag: T, result: Migrator.Result) => {
  assert.strictEqual(result.error?._tag, tag)
  return result.error as Extract<RunError | NonNullable<Migrator.Result["error"]>, { readonly _tag: T }>
}

/** Runs a body and then fails: what a rollback has to take back. Answers the error of the run. */
export const runAndFail = (id: string, up: (databases: Methods) => Body, more?: { readonly irreversible?: string }) =>
  failWith(
    "MigrationFailed",
    migration(id, (databases) => Effect.andThen(up(databases), broken), more)
  )
