/**
 * Where idempotency keys are kept: who has a key, and what it was answered with.
 *
 * A layer implements `Slots`, which decide nothing: slots that are written once, by the rules of EpochLog.ts. The
 * operations that people call are derived from them by `make`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import { topOf } from "./EpochLog.ts"
import type { StoreError } from "./IdempotencyError.ts"
import * as Metrics from "./Metrics.ts"
import type { ClaimRequest, Ownership } from "./internal/idempotency/Attempt.ts"
import type { Content, EncryptionKey, Limits } from "./internal/idempotency/Content.ts"
import * as Inspection from "./internal/idempotency/Inspection.ts"
import * as Protocol from "./internal/idempotency/Protocol.ts"
import type { Slots } from "./internal/idempotency/Slots.ts"

export type { ClaimRequest, Ownership } from "./internal/idempotency/Attempt.ts"
export {
  type Content,
  encryptionKey,
  type EncryptionKey,
  type Limits,
  type Stored
} from "./internal/idempotency/Content.ts"
export type { Inspection } from "./internal/idempotency/Inspection.ts"
export type { Claimed, Completed, Renewed } from "./internal/idempotency/Protocol.ts"
export type { About, Chain, Placed, Row, Slots, Transactions } from "./internal/idempotency/Slots.ts"

export interface RemoveOptions {
  /** Milliseconds past a row's own time to be removed. It only lengthens. Default 0. */
  readonly olderThan?: number | undefined
  /** Rows in one call. Default 100. */
  readonly batch?: number | undefined
  /** Only count. Default false. */
  readonly dryRun?: boolean | undefined
}

export interface Operations {
  /** For people: what the store is on. */
  readonly name: string
  /** Whether completions can be written in one transaction with documents. */
  readonly transactional: boolean
  /** Asks for a key. An interruption does not leave a claim behind that its owner does not know of. */
  readonly claim: (request: ClaimRequest) => Effect.Effect<Protocol.Claimed, StoreError>
  /** Records the response of an owner, once. */
  readonly complete: (ownership: Ownership, content: Content) => Effect.Effect<Protocol.Completed, StoreError>
  /** Gives the key back: the next attempt runs at once. */
  readonly release: (ownership: Ownership) => Effect.Effect<Protocol.Completed, StoreError>
  /** Lengthens the lease. */
  readonly renew: (ownership: Ownership) => Effect.Effect<Protocol.Renewed, StoreError>
  /** Records a step, which a later attempt does not do again. It renews the lease too. */
  readonly step: (ownership: Ownership, name: string, content: Content) => Effect.Effect<Protocol.Renewed, StoreError>
  /** Removes what is over on every clock; a live key is never touched. */
  readonly removeExpired: (options?: RemoveOptions) => Effect.Effect<{ readonly deletedCount: number }, StoreError>
  /** For support: what is known of a key, by its row prefix. Its response only where asked for. */
  readonly inspect: (
    key: string,
    options?: { readonly response?: boolean | undefined }
  ) => Effect.Effect<Inspection.Inspection | undefined, StoreError>
}

export class IdempotencyStore extends Context.Service<IdempotencyStore, Operations>()("holdfast/IdempotencyStore") {}

export interface MakeOptions {
  /** Whether kept responses are encrypted, under the first key. Default false. */
  readonly encrypt?: boolean | undefined
  /** Keys that read them. Default none. */
  readonly encryption?: ReadonlyArray<EncryptionKey> | undefined
  /** Longest row or part, in characters, and most parts. Default 4 MiB and 4. */
  readonly limits?: Limits | undefined
  /** Responses of more bytes are compressed. Default 1024. */
  readonly compressAbove?: number | undefined
}

/** The store out of its slots. */
export const make = (slots: Slots, options: MakeOptions = {}): Operations => {
  const store = Protocol.make(slots, options)
  return {
    name: slots.name,
    transactional: slots.transactions !== undefined,
    claim: store.claim,
    complete: store.complete,
    release: store.release,
    renew: store.renew,
    step: store.step,
    removeExpired: Effect.fn("IdempotencyStore.removeExpired")(function* (settings?: RemoveOptions) {
      const batch = Math.max(1, Math.floor(settings?.batch ?? 100) || 1)
      const older = Math.max(0, settings?.olderThan ?? 0) || 0
      const before = Math.max(0, (yield* Clock.currentTimeMillis) - older)
      const dryRun = settings?.dryRun ?? false
      let deletedCount = 0
      for (;;) {
        const count = yield* store.call("removePurged", slots.removePurged(before, batch, dryRun))
        deletedCount += count
        if (!dryRun) yield* Metric.update(Metrics.expiredRemoved, count)
        if (count < batch || dryRun) return { deletedCount }
        yield* Effect.yieldNow
      }
    }),
    inspect: Effect.fn("IdempotencyStore.inspect")(function* (
      key: string,
      settings?: { readonly response?: boolean | undefined }
    ) {
      const chain = yield* store.call("list", slots.list(key))
      if (chain === undefined) return undefined
      const now = yield* Clock.currentTimeMillis
      const known = Inspection.of(chain, now)
      const { content, kind } = topOf(chain)
      return settings?.response === true && kind === "done" && content !== null
        ? { ...known, response: yield* store.contentOf(key, content) }
        : known
    })
  }
}
