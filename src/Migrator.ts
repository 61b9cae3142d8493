/**
 * Runs migrations: one at a time under a lock, each whole or not at all, each remembered.
 *
 * What stops before anything is started is in the error channel of `executeAll`; what the migrations come to is in its
 * results. `execute` runs one and fails with whatever it comes to.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Databases, type Methods, readOnly } from "./Databases.ts"
import { messageOf } from "./internal/migrations/CauseMessage.ts"
import * as Attempt from "./internal/migrations/Attempt.ts"
import * as Known from "./internal/migrations/Known.ts"
import { openRuns } from "./internal/migrations/OpenRuns.ts"
import * as RunId from "./internal/RunId.ts"
import { isMigration, type Migration, problem } from "./Migration.ts"
import type { OpenRun } from "./MigrationJournal.ts"
import { type Holder, MigrationLock } from "./MigrationLock.ts"
import * as MigrationState from "./MigrationState.ts"
import {
  MigrationNotLoaded,
  type MigratorError,
  type PreparationError,
  RecoveryNeeded,
  RequirementMissing
} from "./MigratorError.ts"

export type Source = Known.Source

export type Result = Attempt.Result

/** What several have come to. The three in the middle are counts. */
export interface Results {
  readonly success: boolean
  readonly completed: number
  readonly skipped: number
  readonly failed: number
  readonly results: ReadonlyArray<Result>
}

export interface ExecuteOptions {
  /** Run a migration that stands before one that is applied. Default false. */
  readonly allowOutOfOrder?: boolean | undefined
  /** Go on though applied sources have changed. Default false. */
  readonly allowDrift?: boolean | undefined
  /** Take none of the backups that migrations ask for. Of what they delete, one is taken all the same. Default false. */
  readonly skipBackup?: boolean | undefined
}
export interface ExecuteAllOptions extends ExecuteOptions {
  /** Stop at the first failure. Default true. */
  readonly stopOnError?: boolean | undefined
  /** The last one to run. Default: all. */
  readonly to?: string | undefined
  /** Told of each result as it comes. */
  readonly onResult?: ((result: Result) => Effect.Effect<void>) | undefined
}

export type Services = Attempt.Services

/** A source out of a migration in the program itself; it needs an id. */
export const source = (migration: Migration): Source => {
  const name = migration.id ?? ""
  const location = name === "" ? "a migration in the program" : `the migration ${name}`
  const found = problem(migration)
  const detail = name === "" ? "it has no id: give one to Migration.make" : found && `it is ${found}`
  return {
    name,
    location,
    hash: Effect.succeed(null),
    load: detail === undefined ? Effect.succeed(migration) : Effect.fail(new MigrationNotLoaded({ location, detail }))
  }
}
const toSource = (one: Source | Migration): Source => (isMigration(one) ? source(one) : one)

/** The target's state; where there is none, an empty one. `adopt`: also for a target that holds collections. */
const loadState = Effect.fnUntraced(function* (databases: Methods, adopt: boolean) {
  const { load, location } = yield* MigrationState.MigrationState
  const target = yield* databases.describeTarget
  const state = yield* load
  if (state !== undefined) {
    const known = state.holdfast.target
    if (known.id === target.id) return state
    return yield* new MigrationState.StateOfAnotherTarget({ location, expected: target.label, found: known.label })
  }
  const collections = adopt ? [] : (yield* databases.listCollections).map(({ $id }) => $id)
  if (collections.length === 0) return MigrationState.empty(target)
  return yield* new MigrationState.StateMissing({ location, target: target.label, collections })
})

/** Under the lock: a target without open runs, its state, and the migrations that there are. */
const enter = Effect.fnUntraced(function* (sources: ReadonlyArray<Source | Migration>, adopt: boolean) {
  const databases = yield* Databases
  const lock = yield* MigrationLock
  const holder = yield* lock.acquire
  const runs = yield* openRuns(databases)
  if (runs.length > 0) return yield* new RecoveryNeeded({ runs })
  const state = yield* loadState(databases, adopt)
  const known = yield* Known.resolve(sources.map(toSource), state)
  return { databases, holder, state, known }
})

const uninterruptedScope = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.uninterruptible(Effect.scoped(effect))

/** Its outcome leaves the target in a state that no other migration may build on. */
const blocks = (result: Result): boolean =>
  result.error?._tag === "RollbackIncomplete" || result.error?._tag === "CommitIncomplete"

/**
 * Runs those of `migrations` that the target has not seen, in this order. All are loaded and checked before the first
 * one starts.
 */
export const executeAll = Effect.fn("Migrator.executeAll")(function* (
  migrations: ReadonlyArray<Source | Migration>,
  options?: ExecuteAllOptions
): Effect.fn.Return<Results, PreparationError, Services> {
  return (yield* runAll(migrations, options)).results
})

const runAll = Effect.fnUntraced(function* (
  migrations: ReadonlyArray<Source | Migration>,
  options?: ExecuteAllOptions
): Effect.fn.Return<
  { readonly results: Results; readonly known: ReadonlyArray<Known.Known> },
  PreparationError,
  Services
> {
  // What a migration came to must reach the caller, also when the interruption of a rollback is the reason.
  return yield* uninterruptedScope(
    Effect.gen(function* () {
      const { holder, known, state: found } = yield* enter(migrations, false)
      const pending = yield* Known.pending(known, found, options?.to)
      if (options?.allowDrift !== true) yield* Known.checkDrift(known, found)
      if (options?.allowOutOfOrder !== true) yield* Known.checkOrder(known, pending, found)
      const jobs = yield* Effect.forEach(pending, ({ hash, id, load }) =>
        Effect.map(Effect.all([load, hash]), ([migration, own]): Attempt.Job => ({ id, migration, hash: own }))
      )
      const { save } = yield* MigrationState.MigrationState
      const ids = known.map(({ id }) => id)
      const results: Array<Result> = []
      let state = found
      for (const job of jobs) {
        const missing = job.migration.requires.find((id) => !state.completed.includes(id))
        if (missing === undefined) {
          const outcome = yield* Attempt.run(job, state, ids, holder, options?.skipBackup === true)
          state = outcome.state
          results.push(outcome.result)
        } else {
          const error = new RequirementMissing({ migration: job.id, requires: missing })
          state = MigrationState.failed(state, { name: job.id, error: error.message, timestamp: yield* RunId.iso }, ids)
          yield* save(state)
          results.push(Attempt.notRun(job.id, { success: false, error }))
        }
        const last = results.at(-1)!
        if (options?.onResult !== undefined) yield* options.onResult(last)
        if (!last.success && (options?.stopOnError !== false || blocks(last))) break
        yield* Effect.interruptible(Effect.yieldNow)
      }
      const completed = results.filter(({ success }) => success).length
      const failed = results.length - completed
      const skipped = known.filter(({ id }) => found.completed.includes(id)).length
      return { results: { success: failed === 0, completed, skipped, failed, results }, known }
    })
  )
})

/** Runs one migration; where the target has seen it, `skipped` says so. */
export const execute = Effect.fn("Migrator.execute")(function* (
  migration: Source | Migration,
  options?: ExecuteOptions
): Effect.fn.Return<Result, MigratorError, Services> {
  const { known, results } = yield* runAll([migration], options)
  const [result] = results.results
  if (result === undefined) return Attempt.notRun(known[0]!.id, { skipped: "already applied" })
  return result.error === undefined ? result : yield* result.error
})

/** A migration as a target knows it. */
export interface Standing {
  readonly id: string
  /** `missing`: applied, and its source is gone. `changed`: applied, and its source is another now. */
  readonly status: "applied" | "pending" | "failed" | "changed" | "missing"
  readonly applied?: MigrationState.Applied
  readonly failure?: MigrationState.Failure
}
export interface Status {
  readonly target: string
  readonly state: string
  readonly migrations: ReadonlyArray<Standing>
  /** Who is migrating now. */
  readonly holder?: Holder
  /** Runs that were cut short, or are going on. */
  readonly open: ReadonlyArray<OpenRun>
}

/** How migrations and target stand to each other. Changes nothing, and waits for nobody. */
export const status = Effect.fn("Migrator.status")(function* (
  migrations: ReadonlyArray<Source | Migration>
): Effect.fn.Return<Status, PreparationError, Services> {
  const databases = yield* Databases
  const { location } = yield* MigrationState.MigrationState
  const holder = yield* (yield* MigrationLock).holder
  const open = yield* openRuns(databases)
  const state = yield* loadState(databases, open.length > 0)
  const known = yield* Known.resolve(migrations.map(toSource), state)
  const changed = new Set(yield* Known.drifted(known, state))
  const standing = (id: string): Standing => {
    const applied = MigrationState.appliedOf(state, id)
    const failure = state.failed.find(({ name }) => name === id)
    if (state.completed.includes(id)) {
      return { id, status: changed.has(id) ? "changed" : "applied", ...(applied === undefined ? {} : { applied }) }
    }
    return failure === undefined ? { id, status: "pending" } : { id, status: "failed", failure }
  }
  const gone = state.completed
    .filter((id) => !known.some((one) => one.id === id))
    .map((id): Standing => ({ ...standing(id), status: "missing" }))
  const target = yield* databases.describeTarget
  return {
    target: target.label,
    state: location,
    migrations: [...gone, ...known.map(({ id }) => standing(id))],
    ...(holder === undefined ? {} : { holder }),
    open
  }
})

/** What a verification says now. */
export interface Verification {
  readonly id: string
  readonly success: boolean
  readonly message: string
}

/** Runs `verify` of those that are applied and have one, or of the one named. Writes nothing. */
export const verify = Effect.fn("Migrator.verify")(function* (
  migrations: ReadonlyArray<Source | Migration>,
  id?: string
): Effect.fn.Return<ReadonlyArray<Verification>, PreparationError, Services> {
  const databases = yield* Databases
  const state = yield* loadState(databases, false)
  const known = yield* Known.resolve(migrations.map(toSource), state)
  const chosen = known.filter((one) => (id === undefined ? state.completed.includes(one.id) : one.id === id))
  if (id !== undefined && chosen.length === 0) return yield* Known.unknown(id, known)
  const answers: Array<Verification> = []
  for (const one of chosen) {
    const migration = yield* one.load
    if (migration.verify === undefined) continue
    const exit = yield* Effect.exit(Effect.provideService(migration.verify, Databases, readOnly(databases)))
    if (Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)) return yield* Effect.interrupt
    answers.push(
      Exit.isSuccess(exit)
        ? { id: one.id, success: true, message: typeof exit.value === "string" ? exit.value : "verified" }
        : { id: one.id, success: false, message: messageOf(exit.cause) }
    )
  }
  return answers
})

/**
 * Writes down that the target has seen the migrations up to and with `to`, without running them: for a database that
 * was there before its migrations. Answers their ids.
 */
export const baseline = Effect.fn("Migrator.baseline")(function* (
  migrations: ReadonlyArray<Source | Migration>,
  options?: { readonly to?: string | undefined }
): Effect.fn.Return<ReadonlyArray<string>, PreparationError, Services> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const { save } = yield* MigrationState.MigrationState
      const { known, state: found } = yield* enter(migrations, true)
      const pending = yield* Known.pending(known, found, options?.to)
      const ids = known.map(({ id }) => id)
      let state = found
      for (const { hash, id } of pending) {
        const applied = { at: yield* RunId.iso, duration: 0, hash: yield* hash, run: null }
        state = MigrationState.succeeded(state, id, applied, ids)
      }
      yield* save(state)
      return pending.map(({ id }) => id)
    })
  )
})
