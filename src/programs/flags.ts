/** Flags that programs share. */
import * as Flag from "effect/cli/Flag"
import * as Settings from "./settings.ts"

/** `what`: that is in the database. */
export const databaseId = (what: string) =>
  Flag.String("database-id").pipe(
    Flag.withDescription(`The database in the target that ${what}`),
    Flag.withMetavar("ID"),
    Flag.withFallbackConfig(Settings.fallbacks.databaseId),
    Flag.withDefault("main")
  )

export const json = Flag.Boolean("json").pipe(
  Flag.withDescription("One JSON document on standard output, messages on standard error"),
  Flag.withDefault(false)
)
