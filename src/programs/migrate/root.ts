/** What all commands of `migrate` share: flags, settings, the target, how they answer. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Folder from "../../layers/migrations/Folder.ts"
import type { Services, Source } from "../../Migrator.ts"
import { meanings } from "../exitCodes.ts"
import * as Flags from "../flags.ts"
import * as Logging from "../logging.ts"
import * as Output from "../output.ts"
import * as Settings from "../settings.ts"
import * as Target from "../targets/database.ts"

const description = `Safe migrations for Appwrite's data model: each lands whole or leaves nothing behind.

Settings come by flag, then environment (HOLDFAST_DATABASE, …), then holdfast.config.ts, then .env.

Exit codes:
${meanings.map(([code, meaning]) => `  ${code.padEnd(9)} ${meaning}`).join("\n")}`

export const root = Command.make("holdfast").pipe(
  Command.withDescription(description),
  Command.withExamples([
    { command: "holdfast status", description: "What is applied, what is pending" },
    { command: "holdfast new add-weight", description: "Write the first lines of a migration" },
    { command: "holdfast up", description: "Run what is pending" },
    { command: "holdfast backup recognitions", description: "Save a collection" },
    { command: "holdfast up --database sqlite:data/app.db --migrations app/migrations", description: "Somewhere else" }
  ]),
  Command.withSharedFlags({
    database: Flag.String("database").pipe(
      Flag.withDescription("The target: sqlite:PATH or memory:"),
      Flag.withMetavar("URL"),
      Flag.withFallbackConfig(Settings.fallbacks.database),
      Flag.withDefault("sqlite:.data/holdfast.db")
    ),
    databaseId: Flags.databaseId("migrations work in"),
    migrations: Flag.String("migrations").pipe(
      Flag.withDescription("Folder of the migrations"),
      Flag.withMetavar("DIR"),
      Flag.withFallbackConfig(Settings.fallbacks.migrations),
      Flag.withDefault("./migrations")
    ),
    backups: Flag.String("backups").pipe(
      Flag.withDescription("Folder of backups, of migration-state.json and the runs' journals"),
      Flag.withMetavar("DIR"),
      Flag.withFallbackConfig(Settings.fallbacks.backups),
      Flag.withDefault("./backups")
    ),
    json: Flags.json
  })
)

interface Shared {
  readonly database: string
  readonly databaseId: string
  readonly migrations: string
  readonly backups: string
  readonly json: boolean
}

type Failure = { readonly _tag: string; readonly message: string }

export interface OnDatabase {
  /** It may make the target's files. */
  readonly create: boolean
  /** Where backups are. Default the folder of `--backups`. */
  readonly folder?: string
}

/** A command over the target. */
export const onDatabase = <E extends Failure>(
  name: string,
  shared: Shared,
  { create, folder }: OnDatabase,
  body: () => Effect.Effect<Output.Answer, E, Services>
): Effect.Effect<void, Output.ExitWith, FileSystem.FileSystem | Path.Path> =>
  Output.run(
    name,
    shared.json,
    Effect.suspend(() => {
      const { backups, databaseId, database: url } = shared
      return Effect.provide(
        Logging.traced(`migrate ${name}`, body()),
        Target.layer({ url, databaseId, backups, create, storage: folder ?? backups })
      )
    })
  )

/** A command over the migrations of the folder and the target. `create`: it may make the target's files. */
export const onTarget = <E extends Failure>(
  name: string,
  shared: Shared,
  create: boolean,
  body: (sources: ReadonlyArray<Source>) => Effect.Effect<Output.Answer, E, Services>
): Effect.Effect<void, Output.ExitWith, FileSystem.FileSystem | Path.Path> =>
  Output.run(
    name,
    shared.json,
    Effect.gen(function* () {
      // The folder first: where it is missing, nothing is opened.
      const sources = yield* Folder.sources(shared.migrations)
      const { backups, databaseId, database: url } = shared
      return yield* Effect.provide(
        Logging.traced(`migrate ${name}`, body(sources)),
        Target.layer({ url, databaseId, backups, create, storage: backups })
      )
    })
  )
