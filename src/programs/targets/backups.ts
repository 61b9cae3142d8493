/** `--backups` and the name of a backup → where backups are kept, and what they are encrypted with. */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import type { BackupStorage } from "../../BackupStorage.ts"
import * as BackupFolder from "../../layers/backups/FileSystem.ts"
import * as BackupMemory from "../../layers/backups/Memory.ts"
import * as Secret from "../../layers/backups/Secret.ts"
import { InvalidSetting } from "../settings.ts"

const setting = "HOLDFAST_BACKUP_SECRET"

/** In `folder`; undefined: in memory, for a database that is gone afterwards too. */
export const layer = (
  folder: string | undefined
): Layer.Layer<BackupStorage, InvalidSetting, FileSystem.FileSystem | Path.Path> => {
  const storage = folder === undefined ? BackupMemory.layer : BackupFolder.layer(folder)
  const secret = Layer.unwrap(
    Config.option(Config.Redacted(setting)).pipe(
      Effect.filterOrFail(
        (secret) => Option.isNone(secret) || Redacted.value(secret.value) !== "",
        () => ({ message: "it is set and empty. Give it a secret, or unset it for backups that anybody can read" })
      ),
      Effect.map(Option.match({ onNone: () => Layer.empty, onSome: Secret.layer })),
      Effect.mapError(({ message }) => new InvalidSetting({ setting, detail: message }))
    )
  )
  return Layer.merge(storage, secret)
}

/** Of `20260102T030405678Z-0k3x9a`. */
const isId = (part: string | undefined): boolean => part !== undefined && /^\d{8}T\d{9}Z-[0-9a-z]{6}$/.test(part)

export interface Located {
  /** The folder of backups that the one named lies in. */
  readonly folder: string
  /** Its name in there. */
  readonly name: string
}

/** A path of a manifest, of its folder or of a backup's, wherever that is; else a name in the folder of backups. */
export const locate = Effect.fnUntraced(function* (
  name: string,
  folder: string
): Effect.fn.Return<Located, never, FileSystem.FileSystem | Path.Path> {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const part = path.basename(name) === "manifest.json" ? path.dirname(name) : name.replace(/[/\\]+$/, "")
  const above = path.dirname(part)
  const found = isId(path.basename(part))
    ? { root: above, name: path.basename(part) }
    : isId(path.basename(above))
      ? { root: path.dirname(above), name: `${path.basename(above)}/${path.basename(part)}` }
      : undefined
  if (found === undefined || path.resolve(found.root) === path.resolve(folder)) {
    return { folder, name: found?.name ?? name }
  }
  const isThere = yield* Effect.orElseSucceed(fs.exists(part), () => false)
  // A name alone, if no folder here is called like that.
  return found.root === "." && !isThere
    ? { folder, name: found.name }
    : { folder: path.resolve(found.root), name: found.name }
})
