/** The contract of backups, in memory and on files. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as BackupFolder from "../../src/layers/backups/FileSystem.ts"
import * as BackupMemory from "../../src/layers/backups/Memory.ts"
import { contract } from "../contract/Backup.ts"
import { backups, memory, onFile, temporaryFolder } from "../support/Migrating.ts"

contract("memory", Layer.merge(memory, BackupMemory.layer), { runs: 200 })
contract(
  "files",
  Layer.unwrap(
    Effect.map(temporaryFolder, (folder) =>
      Layer.merge(onFile(folder), Layer.provide(BackupFolder.layer(backups(folder)), NodeServices.layer))
    )
  ),
  { runs: 25 }
)
