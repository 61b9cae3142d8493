/** What the groups of the `IdempotencyStore` contract share: a world for each test, and processes in it. */
import { assert } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Methods } from "../../../src/Databases.ts"
import type { StoreError } from "../../../src/IdempotencyError.ts"
import * as IdempotencyOptions from "../../../src/IdempotencyOptions.ts"
import {
  type ClaimRequest,
  type Claimed,
  type Content,
  IdempotencyStore,
  make as makeStore,
  type MakeOptions,
  type Operations,
  type Ownership,
  type Row,
  type Slots
} from "../../../src/IdempotencyStore.ts"
import * as Hashes from "../../../src/internal/idempotency/Hashes.ts"
import * as FaultySlots from "../../support/FaultySlots.ts"
import type * as HandClock from "../../support/HandClock.ts"

/** A store's rows, seen through a connection of its own. */
export type Connect = Effect.Effect<Slots, never, Scope.Scope>

/** A store that a layer keeps, empty, and nobody else's. */
export interface Store {
  readonly clock: HandClock.HandClock
  readonly connect: Connect
  /** What else is in there, for transactions that hold both; undefined where there are none. */
  readonly databases?: Methods | undefined
}

/** What the suite is run on. */
export class Site extends Context.Service<Site, { readonly fresh: Effect.Effect<Store, never, Scope.Scope> }>()(
  "test/Site"
) {}

/** Where layers differ by what they are. Each place says why, and asserts what holds instead. */
export interface Traits {
  /** All rows of a key, or the last alone. */
  readonly keeps: "rows" | "top"
  /** Whose date rows are compared with: the machine's own, or a server's that says it when asked, or with each creation. */
  readonly clock: "own" | "asked" | "told"
  /** Who removes what is over: the clean-up, or the server by itself. */
  readonly removal: "clean-up" | "server"
  /** What has to be made before a key can be kept. */
  readonly creation: "collection" | "nothing"
  /** Whether the store shows what is there when a slot behind the first is taken, or has to be asked. */
  readonly conflict: "shows" | "tells"
}

export interface ProcessOptions extends MakeOptions {
  /** Milliseconds that its date is ahead. */
  readonly skew?: number | undefined
  /** Its slots as something else would have them. */
  readonly wrap?: ((slots: Slots) => Slots) | undefined
}

/** A process that uses the store. */
export interface Process {
  /** Its slots, without faults. */
  readonly slots: Slots
  readonly faults: FaultySlots.Faults
  /** The store as it has it, through faults, by its own clock. */
  readonly store: Operations
  readonly layer: Layer.Layer<IdempotencyStore>
  /** Runs something by its clock. */
  readonly live: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

export interface World {
  readonly databases: Methods | undefined
  readonly clock: HandClock.HandClock
  readonly advance: (milliseconds: number) => Effect.Effect<void>
  readonly process: (options?: ProcessOptions) => Effect.Effect<Process, never, Scope.Scope>
}

/** States one promise. `isBare`: nothing is there yet, not even what the store is kept in. */
export type Promised = (
  title: string,
  body: (world: World) => Effect.Effect<void, unknown, Scope.Scope>,
  options?: { readonly isBare?: boolean }
) => void

export const worldOf = ({ clock, connect, databases }: Store): World => ({
  clock,
  databases,
  advance: clock.advance,
  process: Effect.fnUntraced(function* ({ skew = 0, wrap, ...options }: ProcessOptions = {}) {
    const connected = yield* connect
    const slots = wrap === undefined ? connected : wrap(connected)
    const faults = FaultySlots.make(slots, clock.advance)
    const live = clock.live(skew)
    const made = makeStore(faults.slots, options)
    const store: Operations = {
      name: made.name,
      transactional: made.transactional,
      claim: (request) => live(made.claim(request)),
      complete: (ownership, content) => live(made.complete(ownership, content)),
      release: (ownership) => live(made.release(ownership)),
      renew: (ownership) => live(made.renew(ownership)),
      step: (ownership, name, content) => live(made.step(ownership, name, content)),
      removeExpired: (settings) => live(made.removeExpired(settings)),
      inspect: (key, settings) => live(made.inspect(key, settings))
    }
    return { slots, faults, store, live, layer: Layer.succeed(IdempotencyStore, IdempotencyStore.of(store)) }
  })
})

/** Milliseconds, as the defaults are. */
export const [lease, margin, ttl, hour] = [60_000, 5000, 86_400_000, 3_600_000]
export const storeCall = lease / 12

export const parametersOf = (
  options: IdempotencyOptions.Options = {},
  reconcile = false
): ClaimRequest["parameters"] => {
  const resolved = IdempotencyOptions.resolve(options, { reconcile, transactional: false })
  if (resolved._tag === "Failure") throw resolved.failure
  return resolved.success.parameters
}

export interface RequestOptions extends IdempotencyOptions.Options {
  readonly key?: string | undefined
  readonly fingerprint?: string | undefined
  readonly reconcile?: boolean | undefined
}

/** What rows of a key are called. */
export const rowsOf = (key = "key"): string =>
  Hashes.rowPrefix({ namespace: "default", operation: "pay", tenant: "", user: "u", key }, undefined)

export const request = ({ fingerprint, key = "key", reconcile, ...options }: RequestOptions = {}): ClaimRequest => ({
  key: rowsOf(key),
  fingerprint: Hashes.fingerprint(rowsOf(key), [fingerprint ?? "same"], undefined),
  about: { key, user: "u", operation: "pay" },
  parameters: parametersOf(options, reconcile),
  overflow: options.overflow
})

/** The shortest life of a key that the lease allows. */
export const short = { ttl: 2 * lease + margin }

export const text = (body: string): Content => ({ status: 201, headers: { a: "b" }, kind: "response", body })

type Tagged<A, T> = Extract<A, { readonly _tag: T }>

/** Its outcome, which has this tag. */
export const expectTag = <A extends { readonly _tag: string }, T extends A["_tag"]>(
  outcome: A,
  tag: T
): Tagged<A, T> => {
  assert.strictEqual(
    outcome._tag,
    tag,
    JSON.stringify(outcome, (name, value) => (name === "ownership" ? "…" : value))
  )
  return outcome as Tagged<A, T>
}
export const tagged = <A extends { readonly _tag: string }, E, R, T extends A["_tag"]>(
  effect: Effect.Effect<A, E, R>,
  tag: T
): Effect.Effect<Tagged<A, T>, E, R> => Effect.map(effect, (outcome) => expectTag(outcome, tag))

/** Claims, and has it. */
export const own = ({ store }: Process, options?: RequestOptions): Effect.Effect<Ownership, StoreError> =>
  Effect.map(tagged(store.claim(request(options)), "Owner"), ({ ownership }) => ownership)

/** Claims, and is told until when to wait. */
export const waits = (
  { store }: Process,
  options?: RequestOptions
): Effect.Effect<Tagged<Claimed, "InProgress">, StoreError> => tagged(store.claim(request(options)), "InProgress")

/** Claims, and is told what was answered. */
export const replays = ({ store }: Process, body: string, options?: RequestOptions): Effect.Effect<void, StoreError> =>
  Effect.map(tagged(store.claim(request(options)), "Replay"), ({ content }) => {
    assert.deepStrictEqual(content, text(body))
  })

export const completes = ({ store }: Process, ownership: Ownership, body: string) =>
  tagged(store.complete(ownership, text(body)), "Recorded")

/** What the store says of a key. A store that keeps the last row alone can't say how many claims there were: 0. */
export const known = Effect.fnUntraced(function* ({ store }: Process, key?: string) {
  const found = yield* store.inspect(rowsOf(key))
  assert.isDefined(found)
  return found
})

/** It decides nothing, since time is up for it, or is told to wait: it does not get the key. */
export const isNotOwner = Effect.fnUntraced(function* ({ store }: Process, options?: RequestOptions) {
  const outcome = yield* Effect.result(store.claim(request(options)))
  assert.strictEqual(outcome._tag === "Failure" ? outcome.failure._tag : "StoreUnavailable", "StoreUnavailable")
  if (outcome._tag === "Success") expectTag(outcome.success, "InProgress")
})

/** How many of each outcome there are. */
export const tally = (outcomes: ReadonlyArray<{ readonly _tag: string }>): Readonly<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const { _tag } of outcomes) counts[_tag] = (counts[_tag] ?? 0) + 1
  return counts
}

/** All at once. */
export const together = <A, E, R>(
  effects: ReadonlyArray<Effect.Effect<A, E, R>>
): Effect.Effect<ReadonlyArray<A>, E, R> => Effect.all(effects, { concurrency: "unbounded" })

/** A row as another life of the key has it, for stores that keep all rows. */
export const strangeRow = (fields: Partial<Row> & Pick<Row, "slot" | "expiresAt">): Row => ({
  kind: "claim",
  generation: "f".repeat(32),
  owner: "f".repeat(32),
  fingerprint: "0".repeat(64),
  leaseExpiresAt: fields.expiresAt,
  purgeAt: fields.expiresAt + margin + hour,
  step: null,
  content: null,
  ...fields
})

export const about = { key: "key", user: "u", operation: "pay" }
