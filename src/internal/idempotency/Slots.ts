/** What a layer of `IdempotencyStore` implements. */
import * as Effect from "effect/Effect"
import type * as EpochLog from "../../EpochLog.ts"
import type { StoreShapeMismatch, StoreUnavailable } from "../../IdempotencyError.ts"
import type { Staged } from "../../Operation.ts"
import type { Stored } from "./Content.ts"

export type Row = EpochLog.Row<Stored>
export type Chain = EpochLog.Chain<Stored>

/** What people read of a key. The protocol never does, so a layer may hash it under a secret that rotates. */
export interface About {
  readonly key: string
  readonly user: string
  readonly operation: string
}

/** What became of a creation; a chain where the store shows one by itself, or beside it. */
export type Placed =
  | { readonly _tag: "Created"; readonly serverTime?: number | undefined }
  | { readonly _tag: "Taken"; readonly chain: Chain | undefined }

type Call<A> = Effect.Effect<A, StoreUnavailable | StoreShapeMismatch>

/** Transactions that hold slots and documents. */
export interface Transactions {
  /** `ttl`: milliseconds, after which the store itself refuses a commit. Answers an id. */
  readonly begin: (ttl: number) => Call<string>
  /** Refusals of what is staged come here or at the commit. */
  readonly commit: (
    id: string,
    staged: ReadonlyArray<Staged>,
    key: string,
    row: Row,
    about: About
  ) => Call<
    | { readonly _tag: "Committed" }
    | { readonly _tag: "CommitFailed"; readonly invalid: boolean; readonly detail: string }
  >
  readonly rollback: (id: string) => Call<void>
}

const now: unique symbol = Symbol("holdfast/idempotency/now")

/**
 * A call that neither waits nor fails, as an effect and as a plain function: who is on the way already need not step
 * aside for it, which takes as long as a hash.
 */
export interface Instant<A> extends Effect.Effect<A> {
  readonly [now]: () => A
}

export const instant = <A>(call: () => A): Instant<A> => Object.assign(Effect.sync(call), { [now]: call })

/** The plain function of an instant call; undefined for any other effect, also for one that was made out of such. */
export const plainly = <A, E>(call: Effect.Effect<A, E>): (() => A) | undefined =>
  now in call ? (call as Instant<A>)[now] : undefined

/**
 * What a layer implements. A failure means that nothing is known: the command may have landed, or may land later. No
 * call is repeated below, since hidden time would eat the lease.
 */
export interface Slots {
  /** For people, as `memory` or `redis://127.0.0.1:6379`. */
  readonly name: string
  /** Calls end at once, in this process: they need no time limit, and no span. */
  readonly local: boolean
  /** 32 hexadecimal digits that were never used before. */
  readonly nonce: () => string
  /**
   * Writes a slot of `key`, once. Where `list` is asked for, and the slot is taken, a list taken no earlier than the
   * call is the answer's chain, if that costs no further round trip.
   */
  readonly create: (key: string, row: Row, about: About, list: boolean) => Call<Placed>
  /** The chain, as one moment shows it. */
  readonly list: (key: string) => Call<Chain | undefined>
  /** Deletes rows of this generation alone, whatever stands there by then. */
  readonly deleteGeneration: (key: string, generation: string) => Call<void>
  readonly deleteRow: (key: string, slot: number, generation: string) => Call<void>
  readonly putParts: (key: string, row: Row, prefix: string, parts: ReadonlyArray<string>) => Call<void>
  readonly getParts: (key: string, prefix: string, count: number) => Call<ReadonlyArray<string | undefined>>
  /** Deletes up to `limit` rows and parts whose purgeAt lies before, in any order; only counts them in a dry run. */
  readonly removePurged: (before: number, limit: number, dryRun: boolean) => Call<number>
  /** The store's clock, in milliseconds since the epoch; undefined where it is this process's. */
  readonly time: Call<number | undefined>
  readonly transactions: Transactions | undefined
}
