/**
 * One migration, from its first write to its commit or its rollback:
 * up, recorded ─▶ verify ─▶ back up what is parked ─▶ commit ─▶ purge ─▶ remember ─▶ end.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Summary } from "../../Backup.ts"
import { Databases, type Methods, readOnly } from "../../Databases.ts"
import { IrreversibleStep, type Migration, MigrationRun } from "../../Migration.ts"
import type { Begin, RunJournal } from "../../MigrationJournal.ts"
import {
  CommitIncomplete,
  MigrationFailed,
  RollbackIncomplete,
  type RunError,
  VerificationFailed
} from "../../MigratorError.ts"
import { type Mutation, path } from "../../Operation.ts"
import { messageOf } from "./CauseMessage.ts"
import * as Parking from "./Parking.ts"
import * as Recorder from "./Recorder.ts"

export interface Success {
  readonly changes: ReadonlyArray<string>
  /** Of what it deleted. */
  readonly kept: ReadonlyArray<Summary>
  readonly verification?: { readonly success: true; readonly message: string }
}

export interface Options<E> {
  readonly migration: Migration
  readonly begin: Begin
  readonly live: Methods
  readonly journal: RunJournal
  /** ISO 8601 of the end. */
  readonly now: Effect.Effect<string>
  /** Writes the success down, between purge and end. */
  readonly remember: Effect.Effect<void, E>
  /** Taken before. */
  readonly backups: ReadonlyArray<Summary>
  /** Backs up a collection of which something is about to be deleted for good. */
  readonly keep: (doomed: Parking.Doomed) => Effect.Effect<Summary, { readonly message: string }>
}

const runService = (migration: Migration, recorder: Recorder.Recorder): MigrationRun["Service"] => ({
  note: (text) => recorder.say({ _tag: "Sentence", text }),
  scoped: recorder.savepoint,
  step: (step) =>
    step.undo === undefined && migration.irreversible === undefined
      ? Effect.fail(new IrreversibleStep({ step: step.name }))
      : Effect.tap(
          recorder.step(step.name, step.do, step.undo),
          recorder.say({ _tag: "Sentence", text: `did ${step.name}` })
        )
})

/** Everything back, and the journal closed unless something remains that a recovery must look at. */
const rollBack = Effect.fnUntraced(function* <E>(
  { backups, begin, journal, now }: Options<E>,
  recorder: Recorder.Recorder,
  detail: string
) {
  const { conflicts, remaining } = yield* recorder.rollback
  const at = yield* now
  const unfinished =
    remaining.length > 0
      ? remaining
      : yield* journal.append({ _tag: "End", outcome: "rolled back", at }).pipe(
          Effect.as<ReadonlyArray<string>>([]),
          Effect.catch((error) => Effect.succeed([`closing the journal: ${error.message}`]))
        )
  if (conflicts.length === 0 && unfinished.length === 0) return
  return yield* new RollbackIncomplete({
    migration: begin.migration,
    detail,
    conflicts,
    remaining: unfinished,
    journal: journal.location,
    backups: backups.map(({ backupFile, collection }) => ({ collection, backupFile }))
  })
})

/** The way forward, from where there is no way back. */
const commit = Effect.fnUntraced(function* <E extends { readonly message: string }>(
  { begin, journal, live, now, remember }: Options<E>,
  purge: ReadonlyArray<Mutation>
) {
  yield* Effect.gen(function* () {
    for (const operation of purge) {
      yield* live.execute(operation)
      yield* journal.append({ _tag: "Purged", path: path(operation) })
    }
    yield* remember
    yield* journal.append({ _tag: "End", outcome: "committed", at: yield* now })
  }).pipe(
    Effect.mapError(
      (error) => new CommitIncomplete({ migration: begin.migration, detail: error.message, journal: journal.location })
    )
  )
})

/**
 * Runs a migration. Only `up` and `verify` can be interrupted. That is answered by the rollback, then goes on as an
 * interruption; what can't be taken back turns either way into `RollbackIncomplete`.
 */
export const run = <E extends { readonly message: string }>(options: Options<E>): Effect.Effect<Success, RunError> =>
  Effect.uninterruptible(
    Effect.gen(function* () {
      const { begin, journal, live, migration } = options
      const recorder = yield* Recorder.make(live, journal)
      const kept: Array<Summary> = []
      const keep = (doomed: Parking.Doomed) => Effect.map(options.keep(doomed), (summary) => void kept.push(summary))
      const { databases, doomed, purge } = Parking.make(live, recorder, keep)

      const failed = Effect.fnUntraced(function* (cause: Cause.Cause<unknown>, error: (detail: string) => RunError) {
        const detail = messageOf(cause)
        yield* recorder.close
        yield* rollBack(options, recorder, detail)
        if (Cause.hasInterruptsOnly(cause)) return yield* Effect.interrupt
        return yield* Effect.fail(error(detail))
      })

      const up = yield* migration.up.pipe(
        Effect.provideService(Databases, databases),
        Effect.provideService(MigrationRun, runService(migration, recorder)),
        Effect.interruptible,
        Effect.exit
      )
      if (Exit.isFailure(up)) {
        return yield* failed(
          up.cause,
          (detail) => new MigrationFailed({ migration: begin.migration, detail, cause: Cause.squash(up.cause) })
        )
      }

      // A savepoint that could not be undone is a failure, even where the migration goes on.
      const leftovers = yield* recorder.leftovers
      if (leftovers.conflicts.length > 0 || leftovers.remaining.length > 0) {
        const detail = "a savepoint could not be undone"
        const cause = Cause.fail(new Error(detail))
        return yield* failed(cause, () => new MigrationFailed({ migration: begin.migration, detail }))
      }

      // A turn of the event loop first: stray failures of `up` stop the run before its commit, not after.
      const verified = yield* Effect.andThen(Effect.yieldNow, migration.verify ?? Effect.void).pipe(
        Effect.provideService(Databases, readOnly(databases)),
        Effect.interruptible,
        Effect.exit
      )
      if (Exit.isFailure(verified)) {
        return yield* failed(
          verified.cause,
          (detail) =>
            new VerificationFailed({ migration: begin.migration, detail, cause: Cause.squash(verified.cause) })
        )
      }

      yield* recorder.close
      const parked = purge()
      const saved = yield* Effect.exit(
        Effect.flatMap(doomed(), (all) =>
          Effect.tap(Effect.forEach(all, keep), journal.append({ _tag: "Committing", purge: parked }))
        )
      )
      if (Exit.isFailure(saved)) {
        return yield* failed(
          saved.cause,
          (detail) => new MigrationFailed({ migration: begin.migration, detail, cause: Cause.squash(saved.cause) })
        )
      }
      yield* commit(options, parked)
      const changes = yield* recorder.changes
      if (migration.verify === undefined) return { changes, kept }
      const message = typeof verified.value === "string" ? verified.value : "verified"
      return { changes, kept, verification: { success: true as const, message } }
    })
  )
