/** What every operation of the engine stands on. */
import type { Caller } from "../../../Caller.ts"
import type { Sqlite } from "../../vendors/Sqlite.ts"
import type { Catalog } from "./Catalog.ts"

export interface Engine {
  readonly sqlite: Sqlite
  readonly catalog: Catalog
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly caller: Caller
}
