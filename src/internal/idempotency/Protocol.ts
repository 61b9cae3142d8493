/** The operations of a store: claim, complete, release, renew and step, each an event of an attempt. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import type * as EpochLog from "../../EpochLog.ts"
import { type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import * as Metrics from "../../Metrics.ts"
import { Attempt, type ClaimRequest, drive, type Event, type Ownership, type Resting } from "./Attempt.ts"
import * as Calls from "./Calls.ts"
import * as Content from "./Content.ts"
import type { Slots } from "./Slots.ts"

/** Another has the key. `until`: milliseconds since the epoch. */
export interface Busy {
  readonly _tag: "InProgress"
  readonly until: number
  readonly why: "running" | "expiring" | "lost"
}
/** The answer that is stored; nobody replays it past `expiresAt`. */
export interface Replay {
  readonly _tag: "Replay"
  readonly content: Content.Content
  readonly expiresAt: number
}

export type Claimed =
  | { readonly _tag: "Owner"; readonly ownership: Ownership; readonly isTakeover: boolean }
  | Replay
  | Busy
  | { readonly _tag: "Mismatch" }
  | { readonly _tag: "Indeterminate" }
  | { readonly _tag: "Exhausted"; readonly until: number }

/** `Replay` and `InProgress`: another has the key, and the own result is never sent. */
export type Completed =
  | { readonly _tag: "Recorded"; readonly expiresAt: number }
  /** The own result may go out; the store has not said whether it has it. */
  | { readonly _tag: "Unrecorded" }
  | { readonly _tag: "Released" }
  | Replay
  | Busy
  /** Nothing of the transaction was applied, and nothing will be. */
  | { readonly _tag: "Aborted"; readonly invalid: boolean; readonly detail: string }

/** What became of a renewal or a step; `Replay` and `InProgress`: another has the key. */
export type Renewed =
  | { readonly _tag: "Written" }
  /** No slot is left. */
  | { readonly _tag: "Full" }
  /** The lease ends with the key already. */
  | { readonly _tag: "Unneeded" }
  /** The store did not say. The handler goes on: its completion decides. */
  | { readonly _tag: "Undecided" }
  | Replay
  | Busy

export interface Options {
  readonly encrypt?: boolean | undefined
  readonly encryption?: ReadonlyArray<Content.EncryptionKey> | undefined
  readonly limits?: Content.Limits | undefined
  readonly compressAbove?: number | undefined
}

const results = {
  written: { _tag: "Written" },
  full: { _tag: "Full" },
  unneeded: { _tag: "Unneeded" },
  undecided: { _tag: "Undecided" }
} as const satisfies Record<Extract<Resting, { readonly _tag: "Resume" }>["result"], Renewed>

export const make = (slots: Slots, options: Options) => {
  const { call, checkClock, send } = Calls.make(slots)
  const keys = options.encryption ?? []
  const encoding: Content.Encoding = {
    limits: options.limits ?? { part: 4 * 1024 * 1024, parts: 4 },
    compressAbove: options.compressAbove ?? 1024,
    encryption: options.encrypt === true ? keys[0] : undefined
  }
  const feed = (attempt: Attempt, event: Event) => drive({ send, nonce: slots.nonce }, attempt, event)

  const contentOf = Effect.fnUntraced(function* (
    key: string,
    stored: Content.Stored
  ): Effect.fn.Return<Content.Content, StoreError> {
    const parts = stored.parts === 0 ? [] : yield* call("getParts", slots.getParts(key, stored.prefix, stored.parts))
    const content = Content.decode(stored, parts, key, keys)
    if (typeof content !== "string") return content
    const detail = `a response is encrypted under the key ${content}, which neither HOLDFAST_SECRET nor HOLDFAST_SECRET_PREVIOUS is`
    return yield* new StoreUnavailable({ operation: "read", detail })
  })

  const unavailable = (attempt: Attempt, operation: string) =>
    attempt.trouble ??
    new StoreUnavailable({ operation, detail: `${slots.name} shows no state in which it could be decided` })

  const replay = (attempt: Attempt, { content, expiresAt }: EpochLog.Row<Content.Stored>) =>
    Effect.map(contentOf(attempt.key, content!), (known): Replay => ({ _tag: "Replay", content: known, expiresAt }))

  /** On a fiber of its own: an interruption of the caller does not cut an exchange in two. */
  const detached = <A, E>(effect: Effect.Effect<A, E>, late: (result: A) => Effect.Effect<unknown, unknown>) =>
    slots.local
      ? effect
      : Effect.uninterruptibleMask((restore) =>
          Effect.flatMap(Effect.forkDetach(Effect.interruptible(effect), { startImmediately: true }), (fiber) =>
            Effect.onInterrupt(restore(Fiber.join(fiber)), () =>
              Effect.forkDetach(Effect.flatMap(Fiber.join(fiber), late), { startImmediately: true })
            )
          )
        )

  const own = Effect.fnUntraced(function* (
    attempt: Attempt,
    command: Extract<Resting, { readonly _tag: "RunHandler" }>
  ): Effect.fn.Return<Claimed, StoreError> {
    attempt.generation = command.generation
    attempt.reconcile = command.reconcile
    attempt.steps = command.steps
    if (command.transaction !== undefined) {
      const begun =
        slots.transactions === undefined
          ? new StoreUnavailable({ operation: "begin", detail: `${slots.name} has no transactions` })
          : call("begin", slots.transactions.begin(command.transaction), attempt.parameters.storeCall)
      // Nothing has happened yet: the key is given back.
      const id = yield* Effect.tapError(begun, () =>
        Effect.ignore(feed(attempt, { _tag: "HandlerEnded", outcome: { _tag: "Release" } }))
      )
      attempt.transaction = { id, staged: [] }
    }
    const isTakeover = attempt.state._tag === "Owning" && attempt.state.row.slot > 0
    yield* Metric.update(isTakeover ? Metrics.takeovers : Metrics.claims, 1)
    return { _tag: "Owner", ownership: attempt, isTakeover }
  })

  const claimNow = Effect.fnUntraced(function* (request: ClaimRequest): Effect.fn.Return<Claimed, StoreError> {
    if (!slots.local) yield* checkClock(request.parameters)
    const attempt = new Attempt(request, (stored) => contentOf(request.key, stored))
    const command = yield* feed(attempt, { _tag: "Request", fingerprint: request.fingerprint })
    if (command._tag === "RunHandler") return yield* own(attempt, command)
    if (command._tag !== "Reply") return yield* Effect.die(new Error("a claim that is neither won nor refused"))
    const { reply } = command
    switch (reply._tag) {
      case "Replay":
        yield* Metric.update(Metrics.replays, 1)
        return yield* replay(attempt, reply.row)
      case "Mismatch":
        yield* Metric.update(Metrics.mismatches, 1)
        return reply
      case "InProgress":
        yield* Metric.update(Metrics.conflicts, 1)
        return reply
      case "Indeterminate":
      case "Exhausted":
        return reply
      default:
        return yield* unavailable(attempt, "claim")
    }
  })

  /** What an owner is told at its end. */
  const told = Effect.fnUntraced(function* (
    attempt: Attempt,
    operation: string,
    reply: EpochLog.Reply<Content.Stored>,
    expiresAt: number
  ): Effect.fn.Return<Completed, StoreError> {
    switch (reply._tag) {
      case "Recorded":
        return { _tag: "Recorded", expiresAt }
      case "Released":
        return reply
      case "Unrecorded":
        yield* Metric.update(Metrics.unrecorded, 1)
        return reply
      case "Replay":
        yield* Metric.update(Metrics.lost, 1)
        return yield* replay(attempt, reply.row)
      case "InProgress":
        yield* Metric.update(Metrics.lost, 1)
        return reply
      case "Aborted":
        return { ...reply, detail: attempt.refusal }
      default:
        return yield* unavailable(attempt, operation)
    }
  })

  /** One event of an owner, while no other write of its is on its way. */
  const end = (attempt: Attempt, operation: string, outcome: EpochLog.Outcome<Content.Stored>) =>
    Effect.suspend(() => {
      attempt.isEnding = true
      const { expiresAt } = attempt
      return Effect.flatMap(
        attempt.turn.withPermit(feed(attempt, { _tag: "HandlerEnded", outcome })),
        (command): Effect.Effect<Completed, StoreError> =>
          command._tag === "Reply"
            ? told(attempt, operation, command.reply, expiresAt)
            : Effect.die(new Error("an end that does not end"))
      )
    })

  const write = (attempt: Attempt, event: Event): Effect.Effect<Renewed, StoreError> =>
    attempt.turn.withPermit(
      Effect.flatMap(
        // Another event may have ended the attempt meanwhile.
        Effect.suspend(() =>
          attempt.state._tag === "Owning" && !attempt.isEnding
            ? feed(attempt, event)
            : Effect.succeed<Resting>({ _tag: "Resume", result: "undecided" })
        ),
        (command): Effect.Effect<Renewed, StoreError> => {
          if (command._tag === "Resume") {
            if (attempt.state._tag === "Owning") attempt.steps = attempt.state.steps
            return Effect.succeed(results[command.result])
          }
          if (command._tag !== "Reply") return Effect.die(new Error("a renewal that starts a handler"))
          const { reply } = command
          if (reply._tag === "InProgress") return Effect.succeed(reply)
          return reply._tag === "Replay" ? replay(attempt, reply.row) : unavailable(attempt, "renew")
        }
      )
    )

  /** Parts first: the slot alone decides, and names them. Without them the body is not kept, and the claim still is. */
  const encoded = Effect.fnUntraced(function* (attempt: Attempt, content: Content.Content) {
    const { limits } = encoding
    const asked = attempt.overflow === "parts" ? encoding : { ...encoding, limits: { ...limits, parts: 0 } }
    const { parts, stored } = Content.encode(asked, content, attempt.key, slots.nonce())
    if (parts.length === 0 || attempt.state._tag !== "Owning") return stored
    const put = yield* Effect.result(
      call(
        "putParts",
        slots.putParts(attempt.key, attempt.state.row, stored.prefix, parts),
        attempt.parameters.storeCall * parts.length
      )
    )
    return put._tag === "Success" ? stored : Content.withoutBody(content)
  })

  return {
    call,
    contentOf,
    claim: (request: ClaimRequest) =>
      detached(claimNow(request), (claimed) => (claimed._tag === "Owner" ? release(claimed.ownership) : Effect.void)),
    complete: (ownership: Ownership, content: Content.Content) => {
      const attempt = ownership as Attempt
      return Effect.flatMap(encoded(attempt, content), (stored) =>
        end(attempt, "complete", { _tag: "Store", content: stored })
      )
    },
    release,
    renew: (ownership: Ownership) => write(ownership as Attempt, { _tag: "RenewalDue" }),
    step: (ownership: Ownership, step: string, content: Content.Content) => {
      const attempt = ownership as Attempt
      return Effect.flatMap(encoded(attempt, content), (stored) =>
        write(attempt, { _tag: "StepEnded", step, content: stored })
      )
    }
  }

  function release(ownership: Ownership): Effect.Effect<Completed, StoreError> {
    const attempt = ownership as Attempt
    const { transaction } = attempt
    const given = end(attempt, "release", { _tag: "Release" })
    return transaction === undefined || slots.transactions === undefined
      ? given
      : Effect.tap(given, () => Effect.ignore(call("rollback", slots.transactions!.rollback(transaction.id))))
  }
}
