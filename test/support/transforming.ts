// transforming.ts FOLDER [MIGRATION]: migrates the file in that folder, and waits in the middle until a signal comes.
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Attribute from "../../src/Attribute.ts"
import { Databases } from "../../src/Databases.ts"
import * as Migration from "../../src/Migration.ts"
import * as Migrator from "../../src/Migrator.ts"
import { onFile } from "./Migrating.ts"

const [folder = "", id = "transform"] = process.argv.slice(2)
const say = (line: string) => Effect.sync(() => process.stdout.write(`${line}\n`))
/** Keeps the process, which would end when nothing is left to do. */
const forever = Effect.callback<never>(() => {
  const kept = setInterval(() => {}, 60_000)
  return Effect.sync(() => clearInterval(kept))
})

const migration = Migration.make({
  id,
  up: Effect.gen(function* () {
    const databases = yield* Databases
    yield* databases.createCollection("made", { attributes: [Attribute.integer("n")] })
    yield* databases.deleteCollection("dropped")
    yield* databases.deleteAttribute("c", "old")
    yield* databases.createAttribute("c", Attribute.float("half"))
    yield* Migration.transformDocuments("c", (document) =>
      Effect.gen(function* () {
        const n = Number(document["n"])
        if (n === 2500) {
          yield* say("in the middle")
          return yield* forever
        }
        return { half: n / 2, s: `changed ${n}` }
      })
    )
  })
})

Migrator.execute(migration).pipe(
  Effect.tapError((error) => say(`failed ${error._tag} ${error.message}`)),
  Effect.provide(onFile(folder)),
  NodeRuntime.runMain({ disableErrorReporting: true })
)
