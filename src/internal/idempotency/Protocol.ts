/** The operations of a store: claim, complete, release, renew and step, each an event of an attempt. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
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

type Restore = <A, E>(effect: Effect.Effect<A, E>) => Effect.Effect<A, E>

const results = {
  written: { _tag: "Written" },
  full: { _tag: "Full" },
  unneeded: { _tag: "Unneeded" },
  undecided: { _tag: "Undecided" }
} as const satisfies Record<Extract<Resting, { readonly _tag: "Resume" }>["result"], Renewed>

export const make = (slots: Slots, options: Options) => {
  const { call, send, withClock } = Calls.make(slots)
  const keys = options.encryption ?? []
  const encoding: Content.Encoding = {
    limits: options.limits ?? { part: 4 * 1024 * 1024, parts: 4 },
    compressAbove: options.compressAbove ?? 1024,
    encryption: options.encrypt === true ? keys[0] : undefined
  }
  const driven = { send, nonce: slots.nonce }

  const contentOf = (key: string, stored: Content.Stored): Effect.Effect<Content.Content, StoreError> => {
    const read = (parts: ReadonlyArray<string | undefined>) => {
      const content = Content.decode(stored, parts, key, keys)
      if (typeof content !== "string") return Effect.succeed(content)
      const detail = `a response is encrypted under the key ${content}, which neither HOLDFAST_SECRET nor HOLDFAST_SECRET_PREVIOUS is`
      return Effect.fail(new StoreUnavailable({ operation: "read", detail }))
    }
    return stored.parts === 0
      ? read([])
      : Effect.flatMap(call("getParts", slots.getParts(key, stored.prefix, stored.parts)), read)
  }

  const unavailable = (attempt: Attempt, operation: string) =>
    attempt.trouble ??
    new StoreUnavailable({ operation, detail: `${slots.name} shows no state in which it could be decided` })

  const replay = (
    attempt: Attempt,
    { content, expiresAt }: EpochLog.Row<Content.Stored>
  ): Effect.Effect<Replay, StoreError> =>
    Effect.mapEager(contentOf(attempt.key, content!), (known): Replay => ({
      _tag: "Replay",
      content: known,
      expiresAt
    }))

  const own = (
    attempt: Attempt,
    { generation, reconcile, steps, transaction }: Extract<Resting, { readonly _tag: "RunHandler" }>,
    context: Context.Context<never>
  ): Effect.Effect<Claimed, StoreError> => {
    attempt.generation = generation
    attempt.reconcile = reconcile
    attempt.steps = steps
    const isTakeover = attempt.state._tag === "Owning" && attempt.state.row.slot > 0
    const owner = Effect.succeed<Claimed>({ _tag: "Owner", ownership: attempt, isTakeover })
    const count = isTakeover ? Metrics.takeovers : Metrics.claims
    if (transaction === undefined) {
      count.updateUnsafe(1, context)
      return owner
    }
    const begun =
      slots.transactions === undefined
        ? Effect.fail(new StoreUnavailable({ operation: "begin", detail: `${slots.name} has no transactions` }))
        : call("begin", slots.transactions.begin(transaction), attempt.parameters.storeCall)
    return begun.pipe(
      // Nothing has happened yet: the key is given back.
      Effect.tapError(() =>
        Effect.withFiber((fiber) => {
          const released = { _tag: "HandlerEnded", outcome: { _tag: "Release" } } as const
          return Effect.ignore(drive(fiber, driven, attempt, released, () => Effect.void))
        })
      ),
      Effect.flatMap((id) => {
        attempt.transaction = { id, staged: [] }
        count.updateUnsafe(1, context)
        return owner
      })
    )
  }

  /** What a claim came to. */
  const claimed = (
    attempt: Attempt,
    command: Resting,
    context: Context.Context<never>
  ): Effect.Effect<Claimed, StoreError> => {
    if (command._tag === "RunHandler") return own(attempt, command, context)
    if (command._tag !== "Reply") return Effect.die(new Error("a claim that is neither won nor refused"))
    const { reply } = command
    switch (reply._tag) {
      case "Replay":
        Metrics.replays.updateUnsafe(1, context)
        return replay(attempt, reply.row)
      case "Mismatch":
        Metrics.mismatches.updateUnsafe(1, context)
        return Effect.succeed(reply)
      case "InProgress":
        Metrics.conflicts.updateUnsafe(1, context)
        return Effect.succeed(reply)
      case "Indeterminate":
      case "Exhausted":
        return Effect.succeed(reply)
      default:
        return Effect.fail(unavailable(attempt, "claim"))
    }
  }

  const claimNow = (request: ClaimRequest, restore?: Restore): Effect.Effect<Claimed, StoreError> =>
    Effect.withFiber((fiber) => {
      const attempt = new Attempt(request, (stored) => contentOf(request.key, stored))
      const { fingerprint } = request
      const then = (command: Resting, context: Context.Context<never>) => claimed(attempt, command, context)
      return drive(
        fiber,
        driven,
        attempt,
        { _tag: "Request", fingerprint },
        then,
        restore === undefined ? undefined : { restore, late: givenBack }
      )
    })

  /** A claim whose caller has gone meanwhile. */
  const givenBack = (result: Claimed) => (result._tag === "Owner" ? release(result.ownership) : Effect.void)

  /** What an owner is told at its end. */
  const told = (
    attempt: Attempt,
    operation: string,
    reply: EpochLog.Reply<Content.Stored>,
    expiresAt: number,
    context: Context.Context<never>
  ): Effect.Effect<Completed, StoreError> => {
    switch (reply._tag) {
      case "Recorded":
        return Effect.succeed({ _tag: "Recorded", expiresAt })
      case "Released":
        return Effect.succeed(reply)
      case "Unrecorded":
        Metrics.unrecorded.updateUnsafe(1, context)
        return Effect.succeed(reply)
      case "Replay":
        Metrics.lost.updateUnsafe(1, context)
        return replay(attempt, reply.row)
      case "InProgress":
        Metrics.lost.updateUnsafe(1, context)
        return Effect.succeed(reply)
      case "Aborted":
        return Effect.succeed({ ...reply, detail: attempt.refusal })
      default:
        return Effect.fail(unavailable(attempt, operation))
    }
  }

  /** One event of an owner, while no other write of its is on its way. */
  const end = (
    attempt: Attempt,
    operation: string,
    outcome: EpochLog.Outcome<Content.Stored>
  ): Effect.Effect<Completed, StoreError> => {
    attempt.isEnding = true
    const { expiresAt } = attempt
    return attempt.turn.run((fiber, leave) =>
      drive(
        fiber,
        driven,
        attempt,
        { _tag: "HandlerEnded", outcome },
        (command, context) =>
          command._tag === "Reply"
            ? told(attempt, operation, command.reply, expiresAt, context)
            : Effect.die(new Error("an end that does not end")),
        { leave }
      )
    )
  }

  /** What became of a renewal or a step. */
  const written = (attempt: Attempt, command: Resting): Effect.Effect<Renewed, StoreError> => {
    if (command._tag === "Resume") {
      if (attempt.state._tag === "Owning") attempt.steps = attempt.state.steps
      return Effect.succeed(results[command.result])
    }
    if (command._tag !== "Reply") return Effect.die(new Error("a renewal that starts a handler"))
    const { reply } = command
    if (reply._tag === "InProgress") return Effect.succeed(reply)
    return reply._tag === "Replay" ? replay(attempt, reply.row) : Effect.fail(unavailable(attempt, "renew"))
  }

  const write = (attempt: Attempt, event: Event): Effect.Effect<Renewed, StoreError> =>
    attempt.turn.runInterruptible((fiber, leave) => {
      // Another event may have ended the attempt meanwhile.
      if (attempt.state._tag === "Owning" && !attempt.isEnding)
        return drive(fiber, driven, attempt, event, (command) => written(attempt, command), { leave })
      leave()
      return Effect.succeed(results.undecided)
    })

  const withoutParts = { ...encoding, limits: { ...encoding.limits, parts: 0 } }
  /** Parts first: the slot alone decides, and names them. Without them the body is not kept, and the claim still is. */
  const encoded = <A, E>(
    attempt: Attempt,
    content: Content.Content,
    then: (stored: Content.Stored) => Effect.Effect<A, E>
  ): Effect.Effect<A, E> => {
    const asked = attempt.overflow === "parts" ? encoding : withoutParts
    const { parts, stored } = Content.encode(asked, content, attempt.key, slots.nonce)
    if (parts.length === 0 || attempt.state._tag !== "Owning") return then(stored)
    const put = call(
      "putParts",
      slots.putParts(attempt.key, attempt.state.row, stored.prefix, parts),
      attempt.parameters.storeCall * parts.length
      // Sent again they are the same parts.
    ).pipe(Effect.retry({ times: 2, while: ({ _tag }) => _tag === "StoreUnavailable" }))
    return Effect.matchEffect(put, {
      onSuccess: () => then(stored),
      onFailure: () => then(Content.withoutBody(content))
    })
  }

  return {
    call,
    contentOf,
    claim: (request: ClaimRequest) =>
      slots.local
        ? claimNow(request)
        : Effect.uninterruptibleMask((restore) => withClock(request.parameters, claimNow(request, restore), restore)),
    complete: (ownership: Ownership, content: Content.Content) => {
      const attempt = ownership as Attempt
      // Uninterruptible, as every end: else nobody would know what became of it.
      return Effect.uninterruptibleMask(() =>
        encoded(attempt, content, (stored) => end(attempt, "complete", { _tag: "Store", content: stored }))
      )
    },
    release,
    renew: (ownership: Ownership) => Effect.suspend(() => write(ownership as Attempt, { _tag: "RenewalDue" })),
    step: (ownership: Ownership, step: string, content: Content.Content) => {
      const attempt = ownership as Attempt
      return Effect.suspend(() =>
        encoded(attempt, content, (stored) => write(attempt, { _tag: "StepEnded", step, content: stored }))
      )
    }
  }

  function release(ownership: Ownership): Effect.Effect<Completed, StoreError> {
    const attempt = ownership as Attempt
    const { transaction } = attempt
    const given = Effect.uninterruptibleMask(() => end(attempt, "release", { _tag: "Release" }))
    return transaction === undefined || slots.transactions === undefined
      ? given
      : Effect.tap(given, () => Effect.ignore(call("rollback", slots.transactions!.rollback(transaction.id))))
  }
}
