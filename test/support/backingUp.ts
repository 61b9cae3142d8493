/**
 * A backup or a restore in a process that is killed: `backingUp.ts FOLDER backup|quiesced|restore AT [BACKUP]`. It
 * ends itself by SIGKILL in place of its AT-th change of the disk (backups) or of the database (restores); it prints
 * `done CHANGES` where there are fewer.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Backup from "../../src/Backup.ts"
import { Databases, make } from "../../src/Databases.ts"
import * as BackupFolder from "../../src/layers/backups/FileSystem.ts"
import { isRead } from "../../src/Operation.ts"
import { backups, onFile } from "./Migrating.ts"

const [folder, what, at, backup] = process.argv.slice(2) as [string, string, string, string | undefined]
let changes = 0
const change = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    if (++changes !== Number(at)) return effect
    process.kill(process.pid, "SIGKILL")
    return Effect.never
  })

/** The file system, whose changes are counted. */
const counted = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) => ({
    ...fs,
    makeDirectory: (...parameters: Parameters<typeof fs.makeDirectory>) => change(fs.makeDirectory(...parameters)),
    rename: (...parameters: Parameters<typeof fs.rename>) => change(fs.rename(...parameters)),
    open: (...parameters: Parameters<typeof fs.open>) =>
      Effect.map(change(fs.open(...parameters)), (file) =>
        Object.create(file, {
          writeAll: { value: (bytes: Uint8Array) => change(file.writeAll(bytes)) },
          sync: { value: change(file.sync) }
        })
      )
  }))
)
const storage = BackupFolder.layer(backups(folder)).pipe(
  Layer.provide(what === "restore" ? Layer.empty : counted),
  Layer.provide(NodeServices.layer)
)
const program =
  what === "restore"
    ? Effect.flatMap(Databases, (live) => {
        const writes = make({
          databaseId: live.databaseId,
          execute: (operation) => (isRead(operation) ? live.execute(operation) : change(live.execute(operation)))
        })
        return Effect.provideService(Backup.restore(backup!), Databases, Databases.of(writes))
      })
    : Backup.create(["people"], { consistency: what === "quiesced" ? "quiesced" : "fuzzy" })

const run: Effect.Effect<unknown, unknown, Layer.Success<ReturnType<typeof onFile>>> = program
await Effect.runPromise(Effect.provide(run, Layer.merge(onFile(folder), storage)))
console.log(`done ${changes}`)
