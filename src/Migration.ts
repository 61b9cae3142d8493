/**
 * What the author of a migration writes: an Effect program over `Databases`, and how it is put together.
 *
 *     export default Migration.make({
 *       up: Effect.gen(function* () {
 *         const databases = yield* Databases
 *         yield* databases.createAttribute("recognitions", Attribute.float("weight", { min: 0, max: 1 }))
 *         yield* Migration.note("weights start empty")
 *       }),
 *       verify: …
 *     })
 *
 * Every operation has an inverse that the run applies by itself, in reverse, when `up` or `verify` fails or the run is
 * interrupted. What `Databases` can't express goes through `step`.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Databases } from "./Databases.ts"
import type { DatabasesError } from "./DatabasesError.ts"
import type { Document } from "./Document.ts"
import * as Paging from "./internal/Paging.ts"
import * as Progress from "./internal/Progress.ts"
import type { Changes, Write } from "./Operation.ts"
import * as Query from "./Query.ts"

/** A step that has no way back, in a migration that does not say `irreversible`. */
export class IrreversibleStep extends Schema.TaggedError<IrreversibleStep>()("IrreversibleStep", {
  step: Schema.String
}) {
  override get message() {
    return `the step ${JSON.stringify(this.step)} has no undo. Give it one, or say in Migration.make why there is none: irreversible: "why"`
  }
}

export interface Step<A, E, R> {
  /** What people read, and the journal keeps. */
  readonly name: string
  /** Its effect, outside `Databases`. */
  readonly do: Effect.Effect<A, E, R>
  /** Takes it back. Must succeed when there is nothing to take back. */
  readonly undo?: Effect.Effect<unknown, unknown, R> | undefined
  /** Whether it has happened: asked when a run was killed in the middle of it. */
  readonly probe?: Effect.Effect<boolean, unknown, R> | undefined
}

/** The run that a migration is part of. Its functions are the module's; authors call those. */
export class MigrationRun extends Context.Service<
  MigrationRun,
  {
    readonly note: (text: string) => Effect.Effect<void>
    readonly scoped: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
    readonly step: <A, E, R>(step: Step<A, E, R>) => Effect.Effect<A, E | IrreversibleStep | DatabasesError, R>
  }
>()("holdfast/MigrationRun") {}

const TypeId = "~holdfast/Migration"

export interface Migration<out E = unknown> {
  readonly [TypeId]: typeof TypeId
  /** Under which it is remembered. Default: the name of its file without extension. */
  readonly id?: string | undefined
  readonly description?: string | undefined
  /** Ids that must have succeeded before, where a run goes on after a failure. */
  readonly requires: ReadonlyArray<string>
  /** Collections that are backed up, and the backups verified, before the first write. */
  readonly backup: ReadonlyArray<string>
  readonly up: Effect.Effect<unknown, E, Databases | MigrationRun>
  /** Looks whether `up` did what it should. Its text is the message; its failure rolls the migration back. */
  readonly verify?: Effect.Effect<unknown, E, Databases> | undefined
  /** Why there is no way back, where a step has none. */
  readonly irreversible?: string | undefined
}

export interface Options<E1, E2> {
  /** Under which it is remembered. Default: the name of its file without extension. */
  readonly id?: string | undefined
  /** One line for people. */
  readonly description?: string | undefined
  /** Ids that must have succeeded before, where a run goes on after a failure. Default none. */
  readonly requires?: ReadonlyArray<string> | undefined
  /**
   * Collections that are backed up, and the backups verified, before the first write; one that does not exist yet is
   * recorded as absent. Default none.
   */
  readonly backup?: ReadonlyArray<string> | undefined
  /** The change. */
  readonly up: Effect.Effect<unknown, E1, Databases | MigrationRun>
  /** Looks whether `up` did what it should; it can't write. Its text is the message; its failure rolls back. */
  readonly verify?: Effect.Effect<unknown, E2, Databases> | undefined
  /** Why there is no way back. To be said where a step has no `undo`. */
  readonly irreversible?: string | undefined
}

/** A migration. */
export const make = <E1 = never, E2 = never>(options: Options<E1, E2>): Migration<E1 | E2> => ({
  ...options,
  [TypeId]: TypeId,
  requires: options.requires ?? [],
  backup: options.backup ?? []
})

export const isMigration = (value: unknown): value is Migration =>
  typeof value === "object" && value !== null && TypeId in value

/** What a value is instead of a migration that can be run, or undefined: for those who write without types. */
export const problem = (value: unknown): string | undefined => {
  if (!isMigration(value)) return "no migration. Write: export default Migration.make({ … })"
  for (const member of ["up", "verify"] as const) {
    const effect: unknown = value[member]
    if (member === "verify" && effect === undefined) continue
    if (!Effect.isEffect(effect)) {
      const found =
        typeof effect === "function" ? "a function" : effect === undefined ? "missing" : `of type ${typeof effect}`
      return `a migration whose ${member} is ${found}, and must be an Effect. Write: ${member}: Effect.gen(function* () { … })`
    }
  }
  const { backup }: { readonly backup: unknown } = value
  if (!Array.isArray(backup) || !backup.every((id) => typeof id === "string")) {
    return 'a migration whose backup is no list of collections. Write: backup: ["recognitions"]'
  }
  return undefined
}

/** A line in the result's `changes`. */
export const note = (text: string): Effect.Effect<void, never, MigrationRun> =>
  MigrationRun.use((run) => run.note(text))

/**
 * A savepoint: when `effect` fails, what it wrote is undone, and only that; the migration may catch the failure and go
 * on.
 */
export const scoped = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R | MigrationRun> =>
  MigrationRun.use((run) => run.scoped(effect))

/** An effect outside `Databases`, with its way back. */
export const step = <A, E, R>(
  step: Step<A, E, R>
): Effect.Effect<A, E | IrreversibleStep | DatabasesError, R | MigrationRun> =>
  MigrationRun.use((run) => run.step(step))

/** Several migrations as one: `up` one after another, `verify` of each, a way back for all. */
export const all = <E>(
  migrations: ReadonlyArray<Migration<E>>,
  options?: { readonly id?: string; readonly description?: string }
): Migration<E> => {
  const verifications = migrations.flatMap(({ verify }) => (verify === undefined ? [] : [verify]))
  const reasons = migrations.flatMap(({ irreversible }) => (irreversible === undefined ? [] : [irreversible]))
  return make({
    id: options?.id,
    description: options?.description,
    requires: migrations.flatMap(({ requires }) => requires),
    backup: [...new Set(migrations.flatMap(({ backup }) => backup))],
    up: Effect.forEach(migrations, ({ up }) => up, { discard: true }),
    verify:
      verifications.length === 0
        ? undefined
        : Effect.map(Effect.all(verifications), (messages) =>
            messages.filter((message) => typeof message === "string").join("; ")
          ),
    irreversible: reasons.length === 0 ? undefined : reasons.join("; ")
  })
}

/** Documents written together: on Appwrite a transaction takes 100 operations, two of which are the run's own fence. */
const transformBatch = 98

export interface TransformOptions {
  /** Only documents that match. Default all. */
  readonly where?: ReadonlyArray<Query.Query> | undefined
}

/**
 * Changes each document of a collection: `change` answers the values to set, or undefined to leave it. In order of
 * creation, in batches, each whole or not at all. Answers how many were read and how many changed.
 */
export const transformDocuments = Effect.fn("Migration.transformDocuments")(function* <E = never, R = never>(
  collection: string,
  change: (document: Document) => Changes | undefined | Effect.Effect<Changes | undefined, E, R>,
  options?: TransformOptions
): Effect.fn.Return<{ readonly read: number; readonly changed: number }, DatabasesError | E, Databases | R> {
  const databases = yield* Databases
  const where = options?.where ?? []
  const { fraction, total } = yield* Paging.extent(databases, collection, where)
  const progress = yield* Progress.start(`transforming ${collection}`, total)
  let [read, changed] = [0, 0]
  yield* Paging.forEachPageBySequence(
    databases,
    collection,
    Effect.fnUntraced(function* (documents) {
      for (let from = 0; from < documents.length; from += transformBatch) {
        const batch = documents.slice(from, from + transformBatch)
        const writes: Array<Write> = []
        for (const document of batch) {
          const answer = change(document)
          const changes = Effect.isEffect(answer) ? yield* answer : answer
          // Not checked here: the operation refuses what does not fit, and names document and attribute.
          if (changes !== undefined) writes.push({ _tag: "Update", id: document.$id, changes })
        }
        if (writes.length > 0) yield* databases.writeDocuments(collection, writes)
        read += batch.length
        changed += writes.length
        yield* progress.advance(batch.length, fraction(batch.at(-1)!))
        // Lets a signal interrupt between batches.
        yield* Effect.yieldNow
      }
    }),
    { filters: where }
  ).pipe(Effect.ensuring(progress.finish))
  return { read, changed }
})
