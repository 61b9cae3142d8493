/** Files that are the old one or the new one after a power cut: written beside, synchronised, renamed. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"

/** Makes the names in a folder durable: a new or renamed file survives a crash only then. */
export const syncFolder = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.scoped(Effect.flatMap(fs.open(folder, { flag: "r" }), (handle) => handle.sync))
})

/** Replaces `file` durably. Its folder must exist. */
export const write = Effect.fnUntraced(function* (file: string, text: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const temporary = `${file}.${process.pid}.tmp`
  yield* Effect.scoped(
    Effect.gen(function* () {
      const handle = yield* fs.open(temporary, { flag: "w", mode: 0o600 })
      yield* handle.writeAll(new TextEncoder().encode(text))
      yield* handle.sync
    })
  ).pipe(
    Effect.andThen(fs.rename(temporary, file)),
    Effect.tapError(() => Effect.ignore(fs.remove(temporary)))
  )
  yield* syncFolder(path.dirname(file))
})
