/** Parts of a backup: made, and told of. */
import * as Effect from "effect/Effect"
import type { Consistency, Manifest } from "../../BackupManifest.ts"
import {
  BackupNameRefused,
  BackupStorage,
  type BackupStorageUnavailable,
  type Methods as Storage
} from "../../BackupStorage.ts"
import type { Collection } from "../../Collection.ts"
import type { Methods } from "../../Databases.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import * as RunId from "../RunId.ts"
import * as Catalog from "./Catalog.ts"
import * as Create from "./Create.ts"
import * as Format from "./Format.ts"

/** A part of a backup: one collection. */
export interface Summary {
  readonly success: true
  readonly collection: string
  /** Where its manifest is: what `restore` takes. */
  readonly backupFile: string
  readonly documentCount: number
  /** There was no such collection. */
  readonly absent?: true
  readonly consistency: Consistency
}

export const summaryOf = (
  storage: Storage,
  { absent, backup, collection, consistency, documents }: Manifest
): Summary => ({
  success: true,
  collection,
  backupFile: storage.locationOf(`${backup}/${collection}/${Format.manifestName}`),
  documentCount: documents,
  ...(absent ? { absent } : {}),
  consistency: consistency.reached
})

/** Its name in the storage, as `<backup>/<collection>/`. */
export const prefixOf = (storage: Storage, { backupFile }: Summary): string =>
  backupFile.slice(storage.locationOf("x").length - 1, -Format.manifestName.length)

export type WriteError = DatabasesError | BackupStorageUnavailable | BackupNameRefused

/** A collection as it is; undefined where there is none. */
export const lookUp = (databases: Methods, collection: string): Effect.Effect<Collection | undefined, DatabasesError> =>
  Effect.catchReason(databases.getCollection(collection), "DatabasesError", "NotFound", () => Effect.succeed(undefined))

export const checkId = (collection: string): Effect.Effect<void, BackupNameRefused> =>
  Format.collectionId.test(collection)
    ? Effect.void
    : Effect.fail(
        new BackupNameRefused({
          name: collection,
          detail:
            "a collection's id has 1 to 36 letters, digits, periods, hyphens or underscores, a letter or digit first"
        })
      )

/** Backs up one collection, without keeping anybody from it unless `wrap` does. */
export const create = Effect.fnUntraced(function* <E = never, R = never>(
  databases: Methods,
  collection: string,
  options: { readonly backup: string; readonly reason: string; readonly consistency: Consistency },
  wrap?: (record: Collection, copy: Effect.Effect<Manifest, WriteError>) => Effect.Effect<Manifest, WriteError | E, R>
): Effect.fn.Return<Summary, WriteError | E, BackupStorage | R> {
  const storage = yield* BackupStorage
  yield* checkId(collection)
  const schema = yield* lookUp(databases, collection)
  const prefix = `${options.backup}/${schema?.$id ?? collection}/`
  const copy = Effect.interruptible(Create.create({ databases, storage, collection, ...options }, schema)).pipe(
    // What is left of it would only take room, of which there may be none.
    Effect.onError(() => Effect.ignore(Catalog.remove(storage, prefix)))
  )
  return summaryOf(storage, yield* schema === undefined || wrap === undefined ? copy : wrap(schema, copy))
})

/** Backs up one collection without a lock: inside a run, which has it. */
export const createInRun = Effect.fnUntraced(function* (
  databases: Methods,
  collection: string,
  options: { readonly reason: string; readonly consistency: "fuzzy" | "converged"; readonly backup?: string }
): Effect.fn.Return<Summary, WriteError, BackupStorage> {
  return yield* create(databases, collection, { ...options, backup: options.backup ?? (yield* RunId.make) })
})
