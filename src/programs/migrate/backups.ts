/** `backups [list|verify|prune]`: what has been saved. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Backup from "../../Backup.ts"
import { InvalidSetting } from "../settings.ts"
import * as Output from "../output.ts"
import { locate } from "../targets/backups.ts"
import { onDatabase, root } from "./root.ts"

const listText = (all: ReadonlyArray<Backup.Listed>): string =>
  all.length === 0
    ? "There are no backups yet: `backup COLLECTION` makes one."
    : Output.table(
        ["backup", "database", "collection", "documents", "bytes", "consistency", "reason"],
        all.map(({ backup, bytes, collection, manifest, problem }) => [
          backup,
          manifest?.database ?? "?",
          collection,
          manifest === undefined ? "?" : manifest.absent ? "absent" : manifest.documents.toLocaleString("en"),
          bytes.toLocaleString("en"),
          manifest?.consistency.reached ?? "",
          problem === undefined ? (manifest?.reason ?? "") : Output.styled("red", problem)
        ])
      )

const listBody = Effect.map(Backup.list, (all) => ({
  text: listText(all),
  json: { success: true, backups: all },
  code: 0
}))

const list = Command.make(
  "list",
  {},
  Effect.fnUntraced(function* () {
    yield* onDatabase("backups list", yield* root, { create: false }, () => listBody)
  })
).pipe(Command.withDescription("Show the backups that there are"))

const verify = Command.make(
  "verify",
  {
    backup: Argument.String("backup").pipe(
      Argument.withDescription("BACKUP, BACKUP/COLLECTION, or the path of a manifest or its folder")
    )
  },
  Effect.fnUntraced(function* ({ backup }) {
    const shared = yield* root
    const { folder, name } = yield* locate(backup, shared.backups)
    yield* onDatabase("backups verify", shared, { create: false, folder }, () =>
      Effect.map(Backup.verify(name), (all) => ({
        text: all
          .map(({ backupFile, collection, documentCount, hashes }) => {
            const what =
              hashes === null ? "absent" : `${Output.counted(documentCount, "document")}, exact hash ${hashes.exact}`
            return `${Output.styled("green", "verified")} ${collection}: ${what}, ${backupFile}`
          })
          .join("\n"),
        json: { success: true, backups: all },
        code: 0
      }))
    )
  })
).pipe(Command.withDescription("Read every byte of a backup, and compare it with what it says of itself"))

const count = (name: string, description: string) =>
  Flag.Int(name).pipe(Flag.withDescription(description), Flag.withMetavar("N"), Flag.optional)

const prune = Command.make(
  "prune",
  {
    keepLast: count("keep-last", "Keep so many of the newest, of each collection"),
    keepDaily: count("keep-daily", "Keep the newest of each of so many days, of each collection")
  },
  Effect.fnUntraced(function* ({ keepDaily, keepLast }) {
    yield* onDatabase("backups prune", yield* root, { create: false }, () =>
      Effect.gen(function* () {
        const [last, daily] = [Option.getOrUndefined(keepLast), Option.getOrUndefined(keepDaily)]
        if (last === undefined && daily === undefined) {
          return yield* new InvalidSetting({
            setting: "prune",
            detail: "say what to keep: --keep-last N, --keep-daily N"
          })
        }
        for (const [setting, value] of [
          ["--keep-last", last],
          ["--keep-daily", daily]
        ] as const) {
          if (value !== undefined && value < 0) {
            return yield* new InvalidSetting({ setting, detail: `must be 0 or more, got ${value}` })
          }
        }
        const decisions = yield* Backup.prune({ keepLast: last, keepDaily: daily })
        const removed = decisions.filter(({ keep }) => keep === undefined)
        return {
          text: [
            ...decisions.map(({ backup, keep }) =>
              keep === undefined
                ? `${Output.styled("red", "removed")} ${backup.backup}/${backup.collection}`
                : `${Output.styled("green", "kept")}    ${backup.backup}/${backup.collection}: ${keep}`
            ),
            `${Output.counted(removed.length, "backup")} removed, ${decisions.length - removed.length} kept.`
          ].join("\n"),
          json: {
            success: true,
            removed: removed.map(({ backup }) => backup.backupFile),
            kept: decisions.flatMap(({ backup, keep }) =>
              keep === undefined ? [] : [{ backupFile: backup.backupFile, reason: keep }]
            )
          },
          code: 0
        }
      })
    )
  })
).pipe(
  Command.withDescription("Remove backups that no rule keeps. The newest of each collection always stays"),
  Command.withExamples([
    {
      command: "holdfast backups prune --keep-last 3 --keep-daily 14",
      description: "Three, and one a day for a fortnight"
    }
  ])
)

export const backups = Command.make(
  "backups",
  {},
  Effect.fnUntraced(function* () {
    yield* onDatabase("backups", yield* root, { create: false }, () => listBody)
  })
).pipe(Command.withDescription("Show, verify and prune backups"), Command.withSubcommands([list, verify, prune]))
