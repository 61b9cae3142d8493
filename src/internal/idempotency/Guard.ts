/** One protected effect: claim, handler with renewals, completion, or what another attempt has answered. */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import {
  AttemptsExhausted,
  FingerprintMismatch,
  type IdempotencyError,
  Indeterminate,
  InProgress,
  ResponseNotKept,
  TransactionConflict,
  TransactionInvalid
} from "../../IdempotencyError.ts"
import type { Resolved } from "../../IdempotencyOptions.ts"
import * as Metrics from "../../Metrics.ts"
import type { Ownership } from "./Attempt.ts"
import type { Content } from "./Content.ts"
import { Current, type Environment } from "./Current.ts"
import type { Outcome } from "./Outcome.ts"
import type { Busy, Completed, Replay } from "./Protocol.ts"
import type { About } from "./Slots.ts"

/**
 * How an answer came about. `first`: the handler ran. `replayed`: the stored answer. `unrecorded`: the handler ran, and
 * the store did not say that it has its answer. `unprotected`: it ran without the store, or without a key.
 */
export type Status = "first" | "replayed" | "unrecorded" | "unprotected"

export interface Answered<A> {
  readonly value: A
  readonly status: Status
}

/** What is protected, and how its ends are written down. */
export interface Guarded<A, E, R> {
  /** The prefix of its rows. */
  readonly key: string
  readonly fingerprint: string
  readonly about: About
  readonly options: Resolved
  readonly handler: Effect.Effect<A, E, R>
  /** After a takeover under `atMostOnce`; undefined: nobody can tell. */
  readonly reconcile: ((token: string) => Effect.Effect<Reconciled<A>, E, R>) | undefined
  readonly outcome: (exit: Exit.Exit<A, E>) => Outcome
  /** Undefined where it can't be written down. */
  readonly encode: (exit: Exit.Exit<A, E>) => Content
  readonly decode: (content: Content) => Effect.Effect<A, E | IdempotencyError>
}

/** What became of an attempt that did not end. */
export type Reconciled<A> =
  | { readonly _tag: "Happened"; readonly value: A }
  | { readonly _tag: "DidNotHappen" }
  | { readonly _tag: "Unknown" }

type Ended<A, E> = { readonly _tag: "Ended"; readonly exit: Exit.Exit<A, E> } | Replay | Busy

/** The handler, its lease lengthened while it runs; interrupted once another has the key. */
const running = Effect.fnUntraced(function* <A, E, R>(
  environment: Environment,
  { options, handler }: Pick<Guarded<A, E, R>, "options" | "handler">,
  ownership: Ownership
): Effect.fn.Return<Ended<A, E>, never, R> {
  const { store } = environment
  const lost = Deferred.makeUnsafe<Replay | Busy>()
  const fiber = yield* Effect.forkChild(
    Effect.provideService(handler, Current, { environment, ownership, step: "", lost }),
    {
      startImmediately: true
    }
  )
  // Most that end at once need neither a renewal nor somebody who waits.
  const quick = fiber.pollUnsafe()
  if (quick !== undefined) return { _tag: "Ended", exit: quick }
  const renewing = Effect.gen(function* () {
    if (!options.renew) return yield* Effect.never
    for (;;) {
      const clock = yield* Clock.Clock
      yield* Effect.sleep(
        Math.max(options.parameters.storeCall, ownership.remaining(clock) - options.parameters.lease / 2)
      )
      // A renewal that fails changes nothing: the completion decides.
      const renewed = yield* Effect.orElseSucceed(store.renew(ownership), () => undefined)
      if (renewed?._tag === "Replay" || renewed?._tag === "InProgress") return renewed
      if (renewed?._tag === "Full" || renewed?._tag === "Unneeded") return yield* Effect.never
    }
  })
  const ended = Effect.map(Fiber.await(fiber), (exit): Ended<A, E> => ({ _tag: "Ended", exit }))
  const first = yield* Effect.raceFirst(ended, Effect.raceFirst(renewing, Deferred.await(lost))).pipe(
    Effect.onInterrupt(() => Fiber.interrupt(fiber))
  )
  if (first._tag !== "Ended") yield* Fiber.interrupt(fiber)
  return first
})

/** Until when a caller is told to wait, from now. */
const waitFrom = (until: number, now: number): number => Math.max(1, until - now + 1)

const busy = ({ until, why }: Busy): Effect.Effect<never, InProgress> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(new InProgress({ retryAfter: waitFrom(until, now), why }))
  )

const replayed = <A, E, R>(
  { decode }: Guarded<A, E, R>,
  content: Content
): Effect.Effect<Answered<A>, E | IdempotencyError> =>
  content.body === undefined
    ? Effect.fail(new ResponseNotKept({ originalStatus: content.status }))
    : Effect.map(decode(content), (value) => ({ value, status: "replayed" }))

/** What an owner tells its caller, by what the store says of its end. */
const conclude = <A, E, R>(
  guarded: Guarded<A, E, R>,
  exit: Exit.Exit<A, E>,
  completed: Completed
): Effect.Effect<Answered<A>, E | IdempotencyError> => {
  switch (completed._tag) {
    case "Recorded":
    case "Released":
      return Effect.map(exit, (value) => ({ value, status: "first" }))
    case "Unrecorded":
      return Effect.map(exit, (value) => ({ value, status: "unrecorded" }))
    case "Replay":
      return replayed(guarded, completed.content)
    case "InProgress":
      return busy(completed)
    case "Aborted":
      return Effect.fail(
        completed.invalid ? new TransactionInvalid({ detail: completed.detail }) : new TransactionConflict()
      )
  }
}

const owned = Effect.fnUntraced(function* <A, E, R>(
  environment: Environment,
  guarded: Guarded<A, E, R>,
  ownership: Ownership
): Effect.fn.Return<Answered<A>, E | IdempotencyError, R> {
  const { cache, store, token } = environment
  const { fingerprint, handler, key, options, reconcile } = guarded
  let isUnknown = false
  const asked =
    ownership.reconcile && reconcile !== undefined
      ? Effect.flatMap(reconcile(token(ownership, "", "")), (known): Effect.Effect<A, E, R> => {
          if (known._tag === "Happened") return Effect.succeed(known.value)
          if (known._tag === "DidNotHappen") return handler
          isUnknown = true
          return Effect.interrupt
        })
      : handler
  const ended = yield* running(environment, { options, handler: asked }, ownership)
  if (ended._tag === "Replay") return yield* replayed(guarded, ended.content)
  if (ended._tag === "InProgress") return yield* busy(ended)
  if (isUnknown) return yield* new Indeterminate()
  const { exit } = ended
  switch (guarded.outcome(exit)) {
    case "store": {
      const content = guarded.encode(exit)
      const completed = yield* Effect.uninterruptible(store.complete(ownership, content))
      if (completed._tag === "Recorded" && content.body !== undefined)
        cache.set(key, { fingerprint, content, expiresAt: completed.expiresAt })
      return yield* conclude(guarded, exit, completed)
    }
    case "release": {
      // The failure is told in any case: a store that does not answer keeps the claim until its lease ends.
      const completed = yield* Effect.uninterruptible(
        Effect.orElseSucceed(store.release(ownership), (): Completed => ({ _tag: "Unrecorded" }))
      )
      return yield* conclude(guarded, exit, completed)
    }
    case "keep":
      return yield* Effect.map(exit, (value): Answered<A> => ({ value, status: "first" }))
  }
})

export const unprotected = <A>(value: A): Answered<A> => ({ value, status: "unprotected" })

/** Runs it once, or answers as it was answered. */
export const protect = Effect.fnUntraced(function* <A, E, R>(
  environment: Environment,
  guarded: Guarded<A, E, R>
): Effect.fn.Return<Answered<A>, E | IdempotencyError, R> {
  const { cache, store } = environment
  const { about, fingerprint, key, options } = guarded
  const clock = yield* Clock.Clock
  const begun = clock.currentTimeMillisUnsafe()
  const cached = cache.get(key, begun)
  if (cached !== undefined) {
    if (cached.fingerprint !== fingerprint) {
      yield* Metric.update(Metrics.mismatches, 1)
      return yield* new FingerprintMismatch()
    }
    yield* Metric.update(Metrics.replays, 1)
    return yield* replayed(guarded, cached.content)
  }
  for (let pass = 0; ; pass++) {
    const { overflow, parameters } = options
    const asked = store.claim({ key, fingerprint, about, parameters, overflow })
    const claimed =
      options.onStoreFailure === "fail"
        ? yield* asked
        : yield* Effect.catch(asked, (error) =>
            Effect.as(
              Effect.logError(`${about.operation} runs without protection against repetition`, error),
              undefined
            )
          )
    if (claimed === undefined) return yield* Effect.map(guarded.handler, unprotected)
    const now = clock.currentTimeMillisUnsafe()
    switch (claimed._tag) {
      case "Owner":
        return yield* owned(environment, guarded, claimed.ownership)
      case "Replay":
        if (claimed.content.body !== undefined)
          cache.set(key, { fingerprint, content: claimed.content, expiresAt: claimed.expiresAt })
        return yield* replayed(guarded, claimed.content)
      case "Mismatch":
        return yield* new FingerprintMismatch()
      case "Indeterminate":
        return yield* new Indeterminate()
      case "Exhausted":
        return yield* new AttemptsExhausted({ retryAfter: waitFrom(claimed.until, now) })
      case "InProgress": {
        const left = begun + options.waitFor - now
        if (options.whenInProgress === "conflict" || left <= 0) return yield* busy(claimed)
        const chance = yield* Random.next
        yield* Effect.sleep(Math.min(left, 20 + chance * Math.min(1000, 50 * 2 ** pass)))
      }
    }
  }
})
