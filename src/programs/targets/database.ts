/** `--database URL` → the layers of that target: its databases, and the state, lock and journal that live with it. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import type { DatabasesError } from "../../DatabasesError.ts"
import * as Embedded from "../../layers/databases/Embedded.ts"
import * as FileJournal from "../../layers/migrations/FileJournal.ts"
import * as FileState from "../../layers/migrations/FileState.ts"
import * as Memory from "../../layers/migrations/Memory.ts"
import * as SqliteLock from "../../layers/migrations/SqliteLock.ts"
import type { Services } from "../../Migrator.ts"
import { InvalidSetting } from "../settings.ts"
import * as Backups from "./backups.ts"

export interface Options {
  /** `sqlite:PATH` or `memory:`. */
  readonly url: string
  readonly databaseId: string
  /** Where `migration-state.json` and the runs' folders live. */
  readonly backups: string
  /** The folder of backups. */
  readonly storage: string
  /** A command that only looks makes no file. */
  readonly create: boolean
}

const forms = "Write sqlite:PATH for a file, or memory: for a database that is gone afterwards"

const validId = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,35}$/

/** The file of a URL; undefined for `memory:`. */
export const sqlitePath = (url: string): Effect.Effect<string | undefined, InvalidSetting> => {
  if (url === "memory:") return Effect.succeed(undefined)
  const [, path] = /^sqlite:(.+)$/.exec(url) ?? []
  if (path !== undefined && !path.startsWith("//") && path !== ":memory:") return Effect.succeed(path)
  const detail = `${JSON.stringify(url)} names no database. ${forms}`
  return Effect.fail(new InvalidSetting({ setting: "--database", detail }))
}

/** The layers of a target. A database file that is missing is made, with its folder, only where `create` says so. */
export const layer = (
  options: Options
): Layer.Layer<Services, InvalidSetting | DatabasesError, FileSystem.FileSystem | Path.Path> =>
  Layer.unwrap(
    Effect.gen(function* () {
      const { backups, databaseId } = options
      if (!validId.test(databaseId)) {
        const detail = `${JSON.stringify(databaseId)} is no id: 1 to 36 of a-z, A-Z, 0-9, period, hyphen, underscore, a letter or digit first`
        return yield* new InvalidSetting({ setting: "--database-id", detail })
      }
      const filename = yield* sqlitePath(options.url)
      if (filename === undefined) {
        return Layer.mergeAll(
          Embedded.layer({ filename: ":memory:", databaseId }),
          Memory.layer,
          Backups.layer(undefined)
        )
      }
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const there = yield* Effect.orElseSucceed(fs.exists(filename), () => false)
      if (options.create && !there) {
        const folder = path.dirname(path.resolve(filename))
        yield* fs
          .makeDirectory(folder, { recursive: true })
          .pipe(Effect.mapError(({ message }) => new InvalidSetting({ setting: "--database", detail: message })))
      }
      return Layer.mergeAll(
        there || options.create
          ? Embedded.layer({ filename, databaseId, readOnly: !options.create })
          : Embedded.layer({ filename: ":memory:", databaseId, label: `sqlite:${filename}, which is not there yet` }),
        FileState.layer(backups),
        SqliteLock.layer(filename),
        FileJournal.layer(backups),
        Backups.layer(options.storage)
      )
    })
  )
