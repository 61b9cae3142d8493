/** Migrations out of the files of a folder, in the order of their names. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import { pathToFileURL } from "node:url"
import { whyNot } from "../../internal/ImportFailure.ts"
import { type Migration, problem } from "../../Migration.ts"
import type { Source } from "../../Migrator.ts"
import { MigrationNotLoaded, MigrationsMissing } from "../../MigratorError.ts"
import * as SourceHash from "./SourceHash.ts"

/** Files in the folder itself; what begins with `_` or `.` is a helper, and declarations and tests are none. */
const isMigrationFile = (name: string): boolean =>
  /^[^_.].*\.m?[jt]s$/.test(name) && !/\.d\.m?ts$/.test(name) && !/\.test\.m?[jt]s$/.test(name)

const load = (location: string): Effect.Effect<Migration, MigrationNotLoaded> =>
  Effect.tryPromise({
    try: () => import(pathToFileURL(location).href) as Promise<{ readonly default?: unknown }>,
    catch: (error) => new MigrationNotLoaded({ location, detail: whyNot(error, process.versions.node) })
  }).pipe(
    Effect.flatMap((module) => {
      const detail = problem(module.default)
      return detail === undefined
        ? Effect.succeed(module.default as Migration)
        : Effect.fail(new MigrationNotLoaded({ location, detail: `its default export is ${detail}` }))
    })
  )

/** The migrations of `folder`. Nothing is loaded yet. */
export const sources = Effect.fnUntraced(function* (folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const home = path.resolve(folder)
  const names = yield* Effect.mapError(fs.readDirectory(home), () => new MigrationsMissing({ location: home }))
  return names
    .filter(isMigrationFile)
    .toSorted()
    .map((file): Source => {
      const location = path.join(home, file)
      return {
        name: file.replace(/\.m?[jt]s$/, ""),
        location,
        hash: SourceHash.ofFile(location).pipe(
          Effect.provideService(FileSystem.FileSystem, fs),
          Effect.provideService(Path.Path, path)
        ),
        load: load(location)
      }
    })
})
