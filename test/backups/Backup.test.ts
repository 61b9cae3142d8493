/** The contract of backups, in memory and on files. */
import { contract } from "../contract/Backup.ts"
import { file, memory } from "../support/Migrating.ts"

contract("memory", memory, { runs: 200 })
contract("files", file, { runs: 25 })
