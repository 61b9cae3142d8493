/** The clean-up: chooses the store, removes what is over on every clock, and says how much that was. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Idempotency from "../../Idempotency.ts"
import * as Flags from "../flags.ts"
import * as Logging from "../logging.ts"
import * as Launch from "../launch.ts"
import * as Output from "../output.ts"
import * as Settings from "../settings.ts"
import * as Store from "../targets/store.ts"
import { version } from "../version.ts"

/** `0`, or a length of time as `90 seconds`, `2 hours`, `1 day`; milliseconds. */
const lengthOfTime = (text: string): Option.Option<number> =>
  text.trim() === "0"
    ? Option.some(0)
    : Option.map(Duration.fromInput(text as Duration.Input), Duration.toMillis).pipe(
        Option.filter((milliseconds) => Number.isFinite(milliseconds) && milliseconds >= 0)
      )

const flags = {
  store: Flag.String("store").pipe(
    Flag.withDescription("The store of keys: sqlite:PATH, redis://HOST:PORT, or memory:"),
    Flag.withMetavar("URL"),
    Flag.withFallbackConfig(Settings.fallbacks.store)
  ),
  databaseId: Flags.databaseId("the keys of sqlite: are in"),
  olderThan: Flag.String("older-than").pipe(
    Flag.withDescription('Only what has been over for so long, as "2 days". It never shortens: 0 removes no live key'),
    Flag.withMetavar("TIME"),
    Flag.filterMap(lengthOfTime, (text) => `0 or a length of time as "90 seconds", "2 hours", "1 day", got "${text}"`),
    Flag.withDefault(0)
  ),
  batch: Flag.Int("batch").pipe(
    Flag.withDescription("Rows in one call of the store"),
    Flag.withMetavar("N"),
    Flag.withSchema(
      Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1000 }, { message: "expected 1 to 1000" }))
    ),
    Flag.withDefault(100)
  ),
  dryRun: Flag.Boolean("dry-run").pipe(Flag.withDescription("Count, and remove nothing"), Flag.withDefault(false)),
  json: Flags.json
} as const

const command = Command.make("cleanup", flags, ({ batch, databaseId, dryRun, json, olderThan, store }) =>
  Output.run(
    "cleanup",
    json,
    Effect.map(Idempotency.removeExpired({ batch, dryRun, olderThan }), ({ deletedCount }) => ({
      text: `${dryRun ? "would remove" : "removed"} ${Output.counted(deletedCount, "expired row")} (deletedCount: ${deletedCount})`,
      json: { success: true, dryRun, deletedCount },
      code: 0
    })).pipe((removal) => Logging.traced("cleanup", removal), Effect.provide(Store.layer({ url: store, databaseId })))
  )
).pipe(
  Command.withDescription("Remove expired idempotency keys. Redis does so by itself, and has nothing to remove"),
  Command.withExamples([
    { command: "cleanup --store sqlite:.data/holdfast.db", description: "What a scheduled function does daily" },
    { command: 'cleanup --store sqlite:.data/holdfast.db --older-than "7 days" --dry-run', description: "Only count" }
  ])
)

const asksForHelp = ["--help", "-h", "--version"].some((name) => process.argv.includes(name))

Launch.launch(
  command.pipe(
    Command.run({ version }),
    Effect.provide(Launch.presenter),
    // Help is there even where the settings are broken.
    Effect.provide(asksForHelp ? Layer.empty : Settings.layer),
    Effect.catchTag("InvalidSetting", Launch.refuse)
  ),
  130
)
