/** `MigrationState` in `migration-state.json` of a folder. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { MigrationState, State, StateCorrupt, StateUnavailable } from "../../MigrationState.ts"
import * as AtomicFile from "../vendors/AtomicFile.ts"

export const fileName = "migration-state.json"

const decode = Schema.decodeUnknownEffect(Schema.fromJsonString(State))

export const make = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const location = path.join(folder, fileName)
  const unavailable = (error: PlatformError) => new StateUnavailable({ location, detail: error.message })
  return MigrationState.of({
    location,
    load: fs.readFileString(location).pipe(
      Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(undefined)),
      Effect.mapError(unavailable),
      Effect.flatMap((text) =>
        text === undefined
          ? Effect.succeed(undefined)
          : Effect.mapError(decode(text), (error) => new StateCorrupt({ location, detail: error.message }))
      )
    ),
    save: (state) =>
      fs
        .makeDirectory(folder, { recursive: true, mode: 0o700 })
        .pipe(
          Effect.andThen(AtomicFile.write(location, `${JSON.stringify(state, undefined, 2)}\n`)),
          Effect.mapError(unavailable),
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.provideService(Path.Path, path)
        )
  })
})

/** `folder` is made when the state is first written. */
export const layer = (folder: string): Layer.Layer<MigrationState, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(MigrationState, make(folder))
