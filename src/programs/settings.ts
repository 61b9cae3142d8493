/** Settings: by flag, then environment, then holdfast.config.ts, then .env, then default. */
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { pathToFileURL } from "node:url"
import { whyNot } from "../internal/ImportFailure.ts"

/** A setting is not what it should be. */
export class InvalidSetting extends Schema.TaggedError<InvalidSetting>()("InvalidSetting", {
  setting: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `${this.setting}: ${this.detail}`
  }
}
/** A file of that name is there. */
export class NameTaken extends Schema.TaggedError<NameTaken>()("NameTaken", { location: Schema.String }) {
  override get message() {
    return `${this.location} is there already. Choose another name`
  }
}
export type SettingsError = InvalidSetting | NameTaken

/** What holdfast.config.ts may export as its default: `export default { database: "sqlite:data/app.db" }`. */
export const File = Schema.Struct({
  database: Schema.optionalKey(Schema.String),
  databaseId: Schema.optionalKey(Schema.String),
  migrations: Schema.optionalKey(Schema.String),
  backups: Schema.optionalKey(Schema.String),
  store: Schema.optionalKey(Schema.String)
})
export type File = typeof File.Type

/** The environment variable of each setting. */
const variables = {
  database: "HOLDFAST_DATABASE",
  databaseId: "HOLDFAST_DATABASE_ID",
  migrations: "HOLDFAST_MIGRATIONS",
  backups: "HOLDFAST_BACKUPS",
  store: "HOLDFAST_STORE"
} as const satisfies Record<keyof File, string>

export const fallbacks = {
  database: Config.String(variables.database),
  databaseId: Config.String(variables.databaseId),
  migrations: Config.String(variables.migrations),
  backups: Config.String(variables.backups),
  store: Config.String(variables.store)
} as const satisfies { readonly [K in keyof File]-?: Config.Config<string> }

const decode = Schema.decodeUnknownEffect(File, { errors: "all", onExcessProperty: "error" })

const configFile = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const name of ["holdfast.config.ts", "holdfast.config.mjs", "holdfast.config.js"]) {
    const location = path.resolve(name)
    if (!(yield* Effect.orElseSucceed(fs.exists(location), () => false))) continue
    const refuse = (detail: string) => new InvalidSetting({ setting: location, detail })
    const module = yield* Effect.tryPromise({
      try: () => import(pathToFileURL(location).href) as Promise<{ readonly default?: unknown }>,
      catch: (error) => refuse(whyNot(error, process.versions.node))
    })
    return yield* Effect.mapError(decode(module.default), ({ message }) =>
      refuse(`its default export does not fit (it may have ${Object.keys(variables).join(", ")}): ${message}`)
    )
  }
  return {}
})

/** Where the settings that no flag gives come from. */
export const layer: Layer.Layer<never, InvalidSetting, FileSystem.FileSystem | Path.Path> = Layer.unwrap(
  Effect.gen(function* () {
    const file: File = yield* configFile
    const dotEnv = yield* ConfigProvider.fromDotEnv().pipe(
      Effect.catchReason("PlatformError", "NotFound", () => Effect.succeed(ConfigProvider.fromUnknown({}))),
      Effect.mapError(({ message }) => new InvalidSetting({ setting: ".env", detail: message }))
    )
    const entries = Object.entries(file).map(([key, value]) => [variables[key as keyof File], value])
    return ConfigProvider.layer(
      ConfigProvider.fromEnv().pipe(
        ConfigProvider.orElse(ConfigProvider.fromUnknown(Object.fromEntries(entries))),
        ConfigProvider.orElse(dotEnv)
      )
    )
  })
)
