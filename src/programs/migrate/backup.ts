/** `backup COLLECTION…`: saves collections. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Backup from "../../Backup.ts"
import { CollectionUnknown } from "../../BackupError.ts"
import { Databases } from "../../Databases.ts"
import { nearest } from "../../internal/Suggestion.ts"
import { InvalidSetting } from "../settings.ts"
import * as Output from "../output.ts"
import { onDatabase, root } from "./root.ts"

/** Collections that hold what Holdfast remembers: they are left out of `--all`. */
const isOwn = (id: string): boolean => /^(?:holdfast|idempotency-keys)/.test(id)

const chosen = Effect.fnUntraced(function* (named: ReadonlyArray<string>, all: boolean) {
  const there = (yield* (yield* Databases).listCollections).map(({ $id }) => $id)
  if (all && named.length > 0) {
    return yield* new InvalidSetting({ setting: "--all", detail: "give it, or name collections, not both" })
  }
  if (all) return there.filter((id) => !isOwn(id))
  if (named.length === 0) {
    return yield* new InvalidSetting({
      setting: "COLLECTION",
      detail: `name the collections to back up (there are ${there.join(", ") || "none"}), or say --all`
    })
  }
  const missing = named.find((id) => !there.some((one) => one.toLowerCase() === id.toLowerCase()))
  if (missing === undefined) return named
  const suggestion = nearest(missing, there)
  const { label } = yield* (yield* Databases).describeTarget
  return yield* new CollectionUnknown({
    collection: missing,
    target: label,
    ...(suggestion === undefined ? {} : { suggestion })
  })
})

export const line = ({ absent, backupFile, collection, consistency, documentCount }: Backup.Summary): string =>
  absent === true
    ? `${collection} is not there; so says ${backupFile}`
    : `backed up ${Output.styled("bold", collection)}, ${Output.counted(documentCount, "document")} (${consistency}), to ${backupFile}`

export const backup = Command.make(
  "backup",
  {
    collections: Argument.String("collection").pipe(
      Argument.withDescription("Collections to back up"),
      Argument.variadic()
    ),
    all: Flag.Boolean("all").pipe(Flag.withDescription("All collections but Holdfast's own"), Flag.withDefault(false)),
    consistency: Flag.Literals("consistency", ["quiesced", "converged", "fuzzy"]).pipe(
      Flag.withDescription(
        "fuzzy: read once. converged: until two passes find the same. quiesced: that, with users and guests kept out"
      ),
      Flag.withDefault("converged" as const)
    )
  },
  Effect.fnUntraced(function* ({ all, collections, consistency }) {
    const shared = yield* root
    yield* onDatabase("backup", shared, { create: consistency === "quiesced" }, () =>
      Effect.gen(function* () {
        const ids = yield* chosen(collections, all)
        const made = yield* Backup.create(ids, { consistency })
        const lesser = made.filter((one) => one.absent !== true && one.consistency !== consistency)
        return {
          text: [
            ...made.map(line),
            ...lesser.map(
              (one) =>
                `${one.collection} was written to all the while: its backup is ${one.consistency}, not ${consistency}.`
            )
          ].join("\n"),
          json: { success: true, backups: made },
          code: 0
        }
      })
    )
  })
).pipe(
  Command.withDescription("Save collections, each with its schema, documents, permissions and dates"),
  Command.withExamples([
    { command: "holdfast backup recognitions", description: "One collection" },
    { command: "holdfast backup --all --consistency quiesced", description: "All, while users and guests are kept out" }
  ])
)
