/**
 * One runner at a time on one target.
 *
 *   FREE ── acquire ──▶ HELD(holder) ── its scope ends, or its process dies ──▶ FREE
 *
 * L1  never two holders at once
 * L2  who is refused learns who holds it
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"

/** Who holds it. */
export const Holder = Schema.Struct({
  host: Schema.String,
  pid: Schema.Int,
  /** ISO 8601, UTC. */
  since: Schema.String
})
export type Holder = typeof Holder.Type

export const describe = (holder: Holder): string => `process ${holder.pid} on ${holder.host} (since ${holder.since})`

/** Somebody else is migrating. */
export class LockHeld extends Schema.TaggedError<LockHeld>()("LockHeld", { holder: Schema.NullOr(Holder) }) {
  override get message() {
    const who = this.holder === null ? "another process" : describe(this.holder)
    return `${who} is migrating this database. Wait until it is done, or end it: its lock goes with it`
  }
}
/** The lock can't be used at all. */
export class LockUnavailable extends Schema.TaggedError<LockUnavailable>()("LockUnavailable", {
  location: Schema.String,
  detail: Schema.String
}) {
  override get message() {
    return `the lock ${this.location} can't be used: ${this.detail}`
  }
}

export const MigrationLockError = Schema.Union([LockHeld, LockUnavailable])
export type MigrationLockError = typeof MigrationLockError.Type

export class MigrationLock extends Context.Service<
  MigrationLock,
  {
    /** Held until the scope ends. Refused at once where it is taken. */
    readonly acquire: Effect.Effect<Holder, MigrationLockError, Scope>
    /** Who holds it now; undefined where nobody does. */
    readonly holder: Effect.Effect<Holder | undefined, LockUnavailable>
  }
>()("holdfast/MigrationLock") {}
