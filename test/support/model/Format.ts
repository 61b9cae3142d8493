/** What `Encoding` and `Decoding` agree on. */
import type { Parameters, Row } from "../../../src/EpochLog.ts"
import type { Landed, Machine, Sent } from "./World.ts"

export const kinds = ["claim", "step", "done", "released"] as const satisfies ReadonlyArray<Row<string>["kind"]>
/** Of an end, nobody reads the lease. */
export const isEnd = (kind: Row<string>["kind"]): boolean => kind === "done" || kind === "released"
export const sents = ["create", "list", "reclaim", "clear", "commit", "occupy"] as const
export const wants = ["Renewal", "Step", "Done", "Released", "Commit"] as const
export const writes = ["Create", "List", "DeleteGeneration", "DeleteRow", "Commit"] as const satisfies ReadonlyArray<
  Sent["_tag"]
>
export const landings = [
  "created",
  "taken",
  "listed",
  "deleted",
  "committed",
  "failed"
] as const satisfies ReadonlyArray<Landed>

/** A transaction's end is read when its commit lands. */
export const hasDeadline = (
  { transaction }: Parameters,
  { handler, writing }: Extract<Machine, { readonly _tag: "Owning" }>
): boolean => transaction !== undefined && (handler === "running" || writing?.sent === "commit")

/** Added to relative times, so that they are bytes. */
export const clocksAt = 64

/**
 * The relative time at which all comparisons have settled, for clocks that are up to `margin` ahead: a generation is
 * over, and its rows may be cleaned up.
 */
export const timesAt = ({ margin, purgeDelay }: Parameters): number => -(margin + purgeDelay + 1)
