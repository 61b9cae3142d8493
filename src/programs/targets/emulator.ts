/** `--database URL` of the emulator → its engine, and the file of its storage beside it. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Embedded from "../../layers/databases/Embedded.ts"
import { InvalidSetting } from "../settings.ts"
import { sqlitePath } from "./database.ts"

/** Files are made, with their folder, where they are missing. */
export const make = Effect.fnUntraced(function* (url: string) {
  const filename = yield* sqlitePath(url)
  if (filename === undefined)
    return { databases: Embedded.layer({ filename: ":memory:", bare: true }), storage: ":memory:" }
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* fs
    .makeDirectory(path.dirname(path.resolve(filename)), { recursive: true })
    .pipe(Effect.mapError(({ message }) => new InvalidSetting({ setting: "--database", detail: message })))
  return { databases: Embedded.layer({ filename, bare: true }), storage: `${filename}-storage` }
})
