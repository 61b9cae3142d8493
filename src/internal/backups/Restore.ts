/**
 * A collection as a backup holds it, by difference: verify ─▶ safety backup ─▶ schema ─▶ compare by id and hash ─▶
 * delete what is extra, change what differs, create what is missing in order of creation ─▶ rest of the schema ─▶ the
 * exact hash must be the backup's.
 *
 * It can be repeated: what is as the backup has it is not written again. Memory: a bit for each document, and a chunk.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import {
  type BackupReadError,
  DocumentsNotInBackup,
  RestoreIncomplete,
  RestoreSchemaDiffers
} from "../../BackupError.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { Methods } from "../../Databases.ts"
import type { OpenRun, RunJournal } from "../../MigrationJournal.ts"
import { batchLimit, type Mutation, path, type Restore } from "../../Operation.ts"
import { sum } from "../Hash.ts"
import { messageOf } from "../migrations/CauseMessage.ts"
import * as Report from "../migrations/Report.ts"
import { compare, type Request } from "./Compare.ts"
import type * as Difference from "./Difference.ts"
import * as Files from "./Files.ts"
import * as Format from "./Format.ts"
import * as Index from "./Index.ts"
import * as SchemaPlan from "./SchemaPlan.ts"
import type { Part } from "./Verify.ts"
import { write } from "./Write.ts"

export const planOf = ({ current, databases, schema }: Request): SchemaPlan.Plan =>
  current === undefined
    ? SchemaPlan.creation(databases.databaseId, schema)
    : SchemaPlan.change(databases.databaseId, current, schema)

export const sentences = ({ after, before }: SchemaPlan.Plan): ReadonlyArray<string> =>
  Report.render([...before, ...after].map((operation) => Report.describe(operation)))

/** Refuses single documents that the backup has not, or that the collection has no room for. */
export const checkOnly = Effect.fnUntraced(function* (
  options: Request
): Effect.fn.Return<void, BackupReadError | DocumentsNotInBackup | RestoreSchemaDiffers> {
  const { current, only, part, schema } = options
  if (only === undefined) return
  const missing = new Map(only)
  yield* Index.forEach(part.place, part.manifest.chunks, ({ key }) => {
    missing.delete(key)
    return undefined
  })
  if (missing.size > 0) {
    const backup = Files.locationOf(part.place, Format.manifestName)
    return yield* new DocumentsNotInBackup({ backup, ids: [...missing.values()] })
  }
  const changes = current === undefined ? [] : sentences(planOf(options))
  if (changes.length > 0) return yield* new RestoreSchemaDiffers({ collection: schema.$id, changes })
})

/** Changes the schema, each step told before it is done. */
const applySchema = (databases: Methods, journal: RunJournal, operations: ReadonlyArray<Mutation>) =>
  Effect.forEach(
    operations,
    (operation) =>
      Effect.andThen(
        journal.append({ _tag: "Restored", action: "schema", what: [`${operation._tag} ${path(operation)}`] }),
        databases.execute(operation)
      ),
    { discard: true }
  )

/** The exact hash that the collection has when it is as in the backup, under its own id. */
const expectedHash = Effect.fnUntraced(function* ({
  part,
  schema
}: Request): Effect.fn.Return<string, BackupReadError> {
  const { hashes, collection } = part.manifest
  if (collection === schema.$id && hashes !== null) return hashes.exact
  const documents = sum()
  yield* Index.forEach(part.place, part.manifest.chunks, ({ exact }) => {
    documents.add(exact)
    return undefined
  })
  return DatabaseHash.ofParts(schema, documents.text())
})

/** What was done: the counts of the difference, and the exact hash of the whole, where all was restored. */
export interface Done {
  readonly counts: Difference.Counts
  readonly exact?: string
}

/**
 * Restores; what was done, or why it is not. The journal is begun. `way`: what to type if it is not finished;
 * `safety`: a backup of the collection as it is now.
 */
export const restore = Effect.fnUntraced(function* (
  options: Request,
  journal: RunJournal,
  way: NonNullable<OpenRun["restore"]>,
  safety: Part | undefined
): Effect.fn.Return<Done, RestoreIncomplete> {
  const { databases, only, schema } = options
  const collection = schema.$id
  const incomplete = (detail: string) => new RestoreIncomplete({ ...way, detail })
  const exit = yield* Effect.gen(function* () {
    const plan = planOf(options)
    yield* applySchema(databases, journal, plan.before)
    // An attribute that went or came changes hashes: then the safety backup is no longer what stands there.
    const isSafe = !plan.before.some(({ _tag }) => _tag === "DeleteAttribute" || _tag === "CreateAttribute")
    const { counts, due } = yield* compare(
      options,
      Effect.fnUntraced(function* (extra: ReadonlyArray<{ readonly id: string; readonly exact: string }>) {
        yield* journal.append({ _tag: "Restored", action: "delete", what: extra.map(({ id }) => id) })
        for (let from = 0; from < extra.length; from += batchLimit) {
          const restores = extra
            .slice(from, from + batchLimit)
            .map(({ exact, id }): Restore => ({ id, expected: exact, document: null }))
          yield* databases.restoreDocuments(collection, restores)
        }
      }),
      isSafe ? safety : undefined
    )
    const left = yield* write(options, journal, due)
    if (left.length > 0) {
      const ids = `${left.slice(0, 5).join(", ")}${left.length > 5 ? ` and ${left.length - 5} more` : ""}`
      return yield* incomplete(`${ids} could not be written, since other documents hold their unique values`)
    }
    yield* applySchema(databases, journal, plan.after)
    if (only === undefined) {
      const exact = yield* expectedHash(options)
      if ((yield* DatabaseHash.collection(databases, collection)) === exact) return { counts, exact }
      return yield* incomplete("its hash is not the backup's: others have written meanwhile")
    }
    const again = yield* compare({ ...options, current: schema }, () => Effect.void)
    if (again.counts.changed + again.counts.missing === 0) return { counts }
    return yield* incomplete("the documents are not those of the backup: others have written meanwhile")
  }).pipe(Effect.interruptible, Effect.exit)
  if (Exit.isSuccess(exit)) return exit.value
  const error = Cause.findErrorOption(exit.cause)
  if (error._tag === "Some" && error.value._tag === "RestoreIncomplete") return yield* error.value
  if (Cause.hasInterruptsOnly(exit.cause)) return yield* incomplete("it was interrupted")
  return yield* incomplete(messageOf(exit.cause))
})
