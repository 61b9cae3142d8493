/** Which parts a storage holds, and which of them a name means. */
import * as Effect from "effect/Effect"
import { type BackupReadError, BackupUnknown } from "../../BackupError.ts"
import type { Manifest } from "../../BackupManifest.ts"
import {
  type BackupNameRefused,
  BackupStorage,
  type BackupStorageUnavailable,
  type Methods as Storage
} from "../../BackupStorage.ts"
import * as Format from "./Format.ts"
import * as Verify from "./Verify.ts"

/** A part, or what stands where one should be. */
export interface Listed {
  readonly backup: string
  readonly collection: string
  readonly backupFile: string
  /** Bytes of its files. */
  readonly bytes: number
  /** Undefined: it can't be read, and `problem` says why. */
  readonly manifest: Manifest | undefined
  readonly problem: string | undefined
}

const manifestForm = new RegExp(`^([^/]+)/([^/]+)/${Format.manifestName.replace(".", "\\.")}$`)

/** All parts in the storage, oldest first. What has no manifest is no backup, and not listed. */
export const list: Effect.Effect<
  ReadonlyArray<Listed>,
  BackupStorageUnavailable | BackupNameRefused,
  BackupStorage
> = Effect.gen(function* () {
  const storage = yield* BackupStorage
  const objects = yield* storage.list("")
  const sizes = new Map<string, number>()
  for (const { bytes, name } of objects) {
    const prefix = name.split("/").slice(0, 2).join("/")
    sizes.set(prefix, (sizes.get(prefix) ?? 0) + bytes)
  }
  const parts = objects.flatMap(({ name }) => {
    const [, backup, collection] = manifestForm.exec(name) ?? []
    const isPart = backup !== undefined && collection !== undefined && Format.backupId.test(backup)
    return isPart ? [{ backup, collection, name }] : []
  })
  return yield* Effect.forEach(parts, ({ backup, collection, name }) =>
    Verify.open(storage, `${backup}/${collection}/`).pipe(
      Effect.map(({ manifest }) => ({ manifest, problem: undefined })),
      Effect.catch((error) => Effect.succeed({ manifest: undefined, problem: error.message })),
      Effect.map((found): Listed => ({
        backup,
        collection,
        backupFile: storage.locationOf(name),
        bytes: sizes.get(`${backup}/${collection}`) ?? 0,
        ...found
      }))
    )
  )
})

/** The parts that a name means: a manifest or its folder in the storage, `BACKUP/COLLECTION`, or a BACKUP alone. */
export const resolve = Effect.fnUntraced(function* (
  storage: Storage,
  name: string
): Effect.fn.Return<ReadonlyArray<string>, BackupReadError> {
  const root = storage.locationOf("x").slice(0, -1)
  const trimmed = (name.startsWith(root) ? name.slice(root.length) : name).replace(/\/+$/, "")
  const unknown = (detail: string) => new BackupUnknown({ backup: name, detail })
  const parts = trimmed.split("/").filter((part, index) => part !== "." || index > 0)
  if (parts.at(-1) === Format.manifestName) parts.pop()
  const [backup, collection, ...rest] = parts
  if (backup === undefined || rest.length > 0 || !Format.backupId.test(backup)) {
    return yield* unknown(
      `it is neither the id of a backup in ${storage.location}, nor one of a collection's (BACKUP/COLLECTION), nor the path of its manifest or folder there`
    )
  }
  if (collection !== undefined) return [`${backup}/${collection}/`]
  const found = (yield* storage.list(`${backup}/`)).flatMap((object) => {
    const [, own, part] = manifestForm.exec(object.name) ?? []
    return own === backup && part !== undefined ? [`${backup}/${part}/`] : []
  })
  if (found.length === 0) return yield* unknown(`there is no manifest under ${storage.locationOf(backup)}`)
  return found
})

/** Removes a part, or what there is of one: the manifest first, since without it the rest is no backup. */
export const remove = Effect.fnUntraced(function* (storage: Storage, prefix: string) {
  const objects = yield* storage.list(prefix)
  const manifest = `${prefix}${Format.manifestName}`
  yield* storage.remove(manifest)
  yield* Effect.forEach(objects, ({ name }) => (name === manifest ? Effect.void : storage.remove(name)), {
    discard: true
  })
})
