/** Files that are the old one or the new one after a power cut: written beside, synchronised, renamed. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import { identity } from "effect/Function"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"

/** Makes the names in a folder durable: a new or renamed file survives a crash only then. */
export const syncFolder = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (handle) => handle.sync))
})

/**
 * Replaces `file` durably by what `body` writes, first under a name that begins with a full stop. Its folder must exist.
 * `failed`: of what the disk refuses, apart from the failures of `body`.
 */
export const replace = Effect.fnUntraced(function* <E, R, E2>(
  file: string,
  failed: (error: PlatformError) => E2,
  body: (handle: FileSystem.File) => Effect.Effect<void, E, R>
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const folder = path.dirname(file)
  const temporary = path.join(folder, `.${path.basename(file)}.${process.pid}.tmp`)
  yield* Effect.scoped(
    Effect.flatMap(Effect.mapError(fs.open(temporary, { flag: "w", mode: 0o600 }), failed), (handle) =>
      Effect.andThen(body(handle), Effect.mapError(handle.sync, failed))
    )
  ).pipe(
    Effect.andThen(Effect.mapError(fs.rename(temporary, file), failed)),
    Effect.onError(() => Effect.ignore(fs.remove(temporary)))
  )
  yield* Effect.mapError(syncFolder(folder), failed)
})

/** Replaces `file` durably. Its folder must exist. */
export const write = (file: string, text: string) =>
  replace(file, identity, (handle) => handle.writeAll(new TextEncoder().encode(text)))
