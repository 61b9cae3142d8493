/** `restore BACKUP`: brings collections to what a backup holds. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Backup from "../../Backup.ts"
import { shellWord } from "../../internal/ShellWord.ts"
import * as BackupFolder from "../../layers/backups/FileSystem.ts"
import * as Output from "../output.ts"
import { locate } from "../targets/backups.ts"
import { onDatabase, root } from "./root.ts"

const text = (done: Backup.Restored): string => {
  const { absent, backup, changed, collection, dryRun, exact, extra, missing, safety, same, schema } = done
  const head = dryRun ? "would restore" : Output.styled("green", "restored")
  const documents = absent
    ? "there was no such collection when the backup was made"
    : `${changed.toLocaleString("en")} changed, ${missing.toLocaleString("en")} missing, ${extra.toLocaleString("en")} extra; ${same.toLocaleString("en")} are as they were`
  return [
    `${head} ${Output.styled("bold", collection)}: ${documents}`,
    ...schema.map((sentence) => `  ${sentence}`),
    exact === undefined
      ? undefined
      : `  exact hash ${exact}, as in the backup${backup.split(/[/\\]/).at(-2) === collection ? "" : ", but for the collection's id"}`,
    safety === undefined ? undefined : `  what was there before: holdfast restore ${shellWord(safety.backupFile)}`
  ]
    .filter((part) => part !== undefined)
    .join("\n")
}

export const restore = Command.make(
  "restore",
  {
    backup: Argument.String("backup").pipe(
      Argument.withDescription("BACKUP, BACKUP/COLLECTION, or the path of a manifest or its folder")
    ),
    to: Flag.String("to").pipe(
      Flag.withDescription("Into this collection, which is made where it is missing"),
      Flag.withMetavar("COLLECTION"),
      Flag.optional
    ),
    only: Flag.String("only").pipe(
      Flag.withDescription("Only this document; may be repeated"),
      Flag.withMetavar("ID"),
      Flag.atLeast(0)
    ),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Compare and tell, write nothing"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function* ({ backup, dryRun, only, to }) {
    const shared = yield* root
    const { folder, name } = yield* locate(backup, shared.backups)
    // What is saved before goes to our own backups, wherever this one is.
    const from = folder === shared.backups ? undefined : yield* BackupFolder.make(folder)
    yield* onDatabase("restore", shared, { create: !dryRun }, () =>
      Effect.map(
        Backup.restore(name, {
          dryRun,
          from,
          to: Option.getOrUndefined(to),
          only: only.length === 0 ? undefined : only
        }),
        (all) => ({ text: all.map(text).join("\n"), json: { success: true, restored: all }, code: 0 })
      )
    )
  })
).pipe(
  Command.withDescription("Bring a collection to what a backup holds: only what differs is written, and saved before"),
  Command.withExamples([
    { command: "holdfast restore 20260102T030405678Z-0k3x9a/recognitions --dry-run", description: "What would change" },
    {
      command: "holdfast restore backups/20260102T030405678Z-0k3x9a/recognitions/manifest.json --to found",
      description: "Into another collection"
    }
  ])
)
