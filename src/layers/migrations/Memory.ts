/** State, lock and journal in this process: what a test of a migration needs beside `Embedded.memory`. */
import * as Layer from "effect/Layer"
import type { MigrationJournal } from "../../MigrationJournal.ts"
import type { MigrationLock } from "../../MigrationLock.ts"
import type { MigrationState } from "../../MigrationState.ts"
import * as MemoryJournal from "./MemoryJournal.ts"
import * as MemoryLock from "./MemoryLock.ts"
import * as MemoryState from "./MemoryState.ts"

export const layer: Layer.Layer<MigrationState | MigrationLock | MigrationJournal> = Layer.mergeAll(
  MemoryState.layer,
  MemoryLock.layer,
  MemoryJournal.layer
)
