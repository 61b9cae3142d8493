/** One protected effect: claim, handler with renewals, completion, or what another attempt has answered. */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
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
import type { Busy, Claimed, Completed, Replay } from "./Protocol.ts"
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

/** Which request it is. */
export interface Identity {
  /** The prefix of its rows. */
  readonly key: string
  readonly fingerprint: string
  readonly about: About
}

/** What is protected, and how its ends are written down. */
export interface Guarded<A, E, R, B> {
  readonly options: Resolved
  readonly handler: Effect.Effect<A, E, R>
  /** After a takeover under `atMostOnce`; undefined: nobody can tell. */
  readonly reconcile: ((token: string) => Effect.Effect<Reconciled<A>, E, R>) | undefined
  readonly outcome: (exit: Exit.Exit<A, E>) => Outcome
  /** Undefined where it can't be written down. */
  readonly encode: (exit: Exit.Exit<A, E>) => Content
  readonly decode: (content: Content) => Effect.Effect<A, E | IdempotencyError>
  /** What its caller is told. */
  readonly tell: (value: A, status: Status) => B
}

/** What became of an attempt that did not end. */
export type Reconciled<A> =
  | { readonly _tag: "Happened"; readonly value: A }
  | { readonly _tag: "DidNotHappen" }
  | { readonly _tag: "Unknown" }

type Ended<A, E> = { readonly _tag: "Ended"; readonly exit: Exit.Exit<A, E> } | Replay | Busy

/** A handler that takes its time: its lease is lengthened while it runs, and it is interrupted once another has the key. */
const watched = Effect.fnUntraced(function* <A, E>(
  store: Environment["store"],
  options: Resolved,
  ownership: Ownership,
  fiber: Fiber.Fiber<A, E>,
  lost: Deferred.Deferred<Replay | Busy>
): Effect.fn.Return<Ended<A, E>> {
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
  const first = yield* Effect.raceFirst(ended, Effect.raceFirst(renewing, Deferred.await(lost)))
  if (first._tag !== "Ended") yield* Fiber.interrupt(fiber)
  return first
})

/** Until when a caller is told to wait, from now. */
const waitFrom = (until: number, now: number): number => Math.max(1, until - now + 1)

const busy = ({ until, why }: Busy): Effect.Effect<never, InProgress> =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    Effect.fail(new InProgress({ retryAfter: waitFrom(until, now), why }))
  )

const replayed = <A, E, R, B>(
  { decode, tell }: Guarded<A, E, R, B>,
  content: Content
): Effect.Effect<B, E | IdempotencyError> =>
  content.body === undefined
    ? Effect.fail(new ResponseNotKept({ originalStatus: content.status }))
    : Effect.mapEager(decode(content), (value) => tell(value, "replayed"))

const ownAnswer = <A, E, R, B>({ tell }: Guarded<A, E, R, B>, exit: Exit.Exit<A, E>, status: Status): Exit.Exit<B, E> =>
  Exit.map(exit, (value) => tell(value, status))

/** What an owner tells its caller, by what the store says of its end. */
const conclude = <A, E, R, B>(
  guarded: Guarded<A, E, R, B>,
  exit: Exit.Exit<A, E>,
  completed: Completed
): Effect.Effect<B, E | IdempotencyError> => {
  switch (completed._tag) {
    case "Recorded":
    case "Released":
      return ownAnswer(guarded, exit, "first")
    case "Unrecorded":
      return ownAnswer(guarded, exit, "unrecorded")
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

/** What an owner makes of the end of its handler. */
const ended = <A, E, R, B>(
  { cache, store }: Environment,
  { fingerprint, key }: Identity,
  guarded: Guarded<A, E, R, B>,
  ownership: Ownership,
  exit: Exit.Exit<A, E>
): Effect.Effect<B, E | IdempotencyError> => {
  switch (guarded.outcome(exit)) {
    case "store": {
      const content = guarded.encode(exit)
      // What is kept of a refusal commits nothing that was staged before it.
      if (content.kind === "failure" || (content.status ?? 200) >= 400) ownership.transaction?.staged.splice(0)
      return Effect.flatMap(store.complete(ownership, content), (completed) => {
        if (completed._tag === "Recorded" && content.body !== undefined)
          cache.set(key, { fingerprint, content, expiresAt: completed.expiresAt })
        return conclude(guarded, exit, completed)
      })
    }
    case "release": {
      // The failure is told in any case: a store that does not answer keeps the claim until its lease ends.
      const released = Effect.orElseSucceed(store.release(ownership), (): Completed => ({ _tag: "Unrecorded" }))
      return Effect.flatMap(released, (completed) => conclude(guarded, exit, completed))
    }
    case "keep":
      return ownAnswer(guarded, exit, "first")
  }
}

/** What is known of an attempt that did not end. `asking`: not yet, so no end of this one is the handler's. */
interface Asking {
  state: "asking" | "known" | "unknown"
}
/** Where there was none to ask about; nobody changes it. */
const known: Asking = { state: "known" }

/** The handler, or what it came to by an attempt that did not end. */
const reconciled = <A, E, R, B>(
  { handler, reconcile }: Guarded<A, E, R, B>,
  token: string,
  asking: Asking
): Effect.Effect<A, E, R> => {
  if (reconcile === undefined) return handler
  asking.state = "asking"
  return Effect.flatMap(reconcile(token), (found) => {
    asking.state = found._tag === "Unknown" ? "unknown" : "known"
    if (found._tag === "Happened") return Effect.succeed(found.value)
    return found._tag === "DidNotHappen" ? handler : Effect.interrupt
  })
}

/** Runs a handler on a fiber of its own. It ends with `fiber`, as a child of it would, which takes twice as long to make. */
const running = <A, E, R, B>(
  fiber: Fiber.Fiber<unknown, unknown>,
  environment: Environment,
  handler: Effect.Effect<A, E, R>,
  { options }: Guarded<A, E, R, B>,
  ownership: Ownership,
  then: (end: Ended<A, E>) => Effect.Effect<B, E | IdempotencyError>
): Effect.Effect<B, E | IdempotencyError> => {
  const lost = Deferred.makeUnsafe<Replay | Busy>()
  const current = { environment, ownership, step: "", lost }
  const handling = Effect.runForkWith(Context.add(fiber.context as Context.Context<R>, Current, current))(handler)
  // Most that end at once need neither a renewal nor somebody who waits.
  const exit = handling.pollUnsafe()
  if (exit !== undefined) return then({ _tag: "Ended", exit })
  const forget = fiber.addObserver(() => handling.interruptUnsafe())
  const watching = Effect.flatMap(watched(environment.store, options, ownership, handling, lost), (end) => {
    forget()
    return then(end)
  })
  return Effect.onError(watching, () => Fiber.interrupt(handling))
}

const owned = <A, E, R, B>(
  fiber: Fiber.Fiber<unknown, unknown>,
  environment: Environment,
  identity: Identity,
  guarded: Guarded<A, E, R, B>,
  ownership: Ownership
): Effect.Effect<B, E | IdempotencyError, R> => {
  const asking: Asking = ownership.reconcile ? { state: "known" } : known
  const handler = ownership.reconcile
    ? reconciled(guarded, environment.token(ownership, "", ""), asking)
    : guarded.handler
  return running(fiber, environment, handler, guarded, ownership, (end) => {
    if (end._tag === "Replay") return replayed(guarded, end.content)
    if (end._tag === "InProgress") return busy(end)
    if (asking.state === "asking") return ownAnswer(guarded, end.exit, "first")
    return asking.state === "unknown"
      ? Effect.fail(new Indeterminate())
      : ended(environment, identity, guarded, ownership, end.exit)
  })
}

/** Runs it once, or answers as it was answered. */
export const protect = <A, E, R, B>(
  fiber: Fiber.Fiber<unknown, unknown>,
  environment: Environment,
  identity: Identity,
  guarded: Guarded<A, E, R, B>
): Effect.Effect<B, E | IdempotencyError, R> => {
  const { cache, store } = environment
  const { about, fingerprint, key } = identity
  const { handler, options } = guarded
  const { overflow, parameters } = options
  const clock = fiber.getRef(Clock.Clock)
  const cached = cache.get(key, clock)
  if (cached !== undefined)
    return cached.fingerprint === fingerprint
      ? Metrics.counted(Metrics.replays, replayed(guarded, cached.content))
      : Metrics.counted(Metrics.mismatches, Effect.fail(new FingerprintMismatch()))

  const begun = options.whenInProgress === "wait" ? clock.currentTimeMillisUnsafe() : 0
  const asking = store.claim({ key, fingerprint, about, parameters, overflow })

  const answered = (claimed: Claimed, pass: number): Effect.Effect<B, E | IdempotencyError, R> => {
    switch (claimed._tag) {
      case "Owner":
        return owned(fiber, environment, identity, guarded, claimed.ownership)
      case "Replay":
        if (claimed.content.body !== undefined)
          cache.set(key, { fingerprint, content: claimed.content, expiresAt: claimed.expiresAt })
        return replayed(guarded, claimed.content)
      case "Mismatch":
        return Effect.fail(new FingerprintMismatch())
      case "Indeterminate":
        return Effect.fail(new Indeterminate())
      case "Exhausted":
        return Effect.fail(
          new AttemptsExhausted({ retryAfter: waitFrom(claimed.until, clock.currentTimeMillisUnsafe()) })
        )
      case "InProgress": {
        const left = begun + options.waitFor - clock.currentTimeMillisUnsafe()
        if (options.whenInProgress === "conflict" || left <= 0) return busy(claimed)
        return Effect.flatMap(Random.next, (chance) =>
          Effect.andThen(Effect.sleep(Math.min(left, 20 + chance * Math.min(1000, 50 * 2 ** pass))), attempt(pass + 1))
        )
      }
    }
  }

  const attempt = (pass: number): Effect.Effect<B, E | IdempotencyError, R> =>
    options.onStoreFailure === "fail"
      ? Effect.flatMap(asking, (claimed) => answered(claimed, pass))
      : Effect.matchEffect(asking, {
          onSuccess: (claimed) => answered(claimed, pass),
          onFailure: (error) =>
            Effect.andThen(
              Effect.logError(`${about.operation} runs without protection against repetition`, error),
              Effect.map(handler, (value) => guarded.tell(value, "unprotected"))
            )
        })
  return attempt(0)
}
