/** Commands of the epoch log, sent to the slots of a store. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type * as EpochLog from "../../EpochLog.ts"
import { ClockSkew, type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import * as Metrics from "../../Metrics.ts"
import type { Staged } from "../../Operation.ts"
import * as Operations from "../logging/Operations.ts"
import type { Stored } from "./Content.ts"
import { Deadlines, ownTime } from "./Deadlines.ts"
import type { About, Row, Slots } from "./Slots.ts"

export type Command = EpochLog.Command<Stored>
/** Commands for the store; the others are for whoever drives. */
export type Sent = Extract<Command, { readonly _tag: "Create" | "List" | "DeleteGeneration" | "DeleteRow" | "Commit" }>
export type Answer = EpochLog.Answer<Stored>

/** Whose commands they are. */
export interface Sender {
  readonly key: string
  readonly about: About
  readonly parameters: EpochLog.Parameters
  /** What is to be written with the completion. */
  readonly transaction: { readonly id: string; readonly staged: ReadonlyArray<Staged> } | undefined
  /** Why the store refused a commit. */
  refusal: string
  /** Whether there is a logger, so that no call goes past it. */
  readonly isLogged: boolean
}

/** Takes what a call that is on its way comes to, where who waits for it is interrupted; else that call is too. */
export type Abandoned = (rest: Effect.Effect<Answer, StoreError>) => void

/** How often a store's clock is read, in milliseconds. */
const clockInterval = 3_600_000
/** Limit of calls that no lease waits for, in milliseconds. */
const patience = 30_000

export const make = (slots: Slots) => {
  const label = { store: slots.name }

  const latencies = new Map<string, Metric.Metric<number, unknown>>()
  const latencyOf = (operation: string): Metric.Metric<number, unknown> => {
    let latency = latencies.get(operation)
    if (latency === undefined) {
      latency = Metric.withAttributes(Metrics.storeLatency, { ...label, operation })
      latencies.set(operation, latency)
    }
    return latency
  }

  const deadlines = new WeakMap<Clock.Clock, Deadlines>()
  const deadlinesOf = (clock: Clock.Clock): Deadlines => {
    let known = deadlines.get(clock)
    if (known === undefined) deadlines.set(clock, (known = new Deadlines(clock)))
    return known
  }

  /**
   * Waits for a call on a fiber of its own, no longer than its limit: what can't be interrupted goes on, and its answer
   * is not waited for. It begins in here: who is interrupted while it does is waiting for it already.
   */
  const awaiting = <A, E>(
    caller: Fiber.Fiber<unknown, unknown>,
    operation: string,
    begin: () => Fiber.Fiber<A, E>,
    limit: number,
    abandoned: ((rest: Effect.Effect<A, E | StoreUnavailable>) => void) | undefined
  ): Effect.Effect<A, E | StoreUnavailable> =>
    Effect.callback((resume) => {
      const fiber = begin()
      const exit = fiber.pollUnsafe()
      if (exit !== undefined) {
        resume(exit)
        return undefined
      }
      const waiting = deadlinesOf(caller.getRef(Clock.Clock))
      // One that has ended meanwhile is observed at once, before there is anything to undo.
      let unobserve = () => {}
      const end = () => {
        unobserve()
        waiting.remove(caller, deadline)
      }
      const deadline = waiting.add(caller, limit, () => {
        end()
        fiber.interruptUnsafe()
        const detail = `no answer from ${slots.name} within ${limit} ms`
        resume(Effect.fail(new StoreUnavailable({ operation, detail })))
      })
      unobserve = fiber.addObserver((answer) => {
        end()
        resume(answer)
      })
      return Effect.sync(() => {
        end()
        if (abandoned === undefined) fiber.interruptUnsafe()
        else abandoned(awaiting(caller, operation, () => fiber, limit, undefined))
      })
    })

  /** A call with its time limit and latency. */
  const limited = <A, E>(
    caller: Fiber.Fiber<unknown, unknown>,
    operation: string,
    effect: Effect.Effect<A, E>,
    limit: number,
    abandoned: ((rest: Effect.Effect<A, E | StoreUnavailable>) => void) | undefined
  ): Effect.Effect<A, E | StoreUnavailable> => {
    const { context } = caller
    const clock = caller.getRef(Clock.Clock)
    const latency = latencyOf(operation)
    const begin = () => {
      const begun = clock.monotonicTimeNanosUnsafe()
      const fiber = Effect.runForkWith(context)(effect)
      fiber.addObserver(() => latency.updateUnsafe(Number(clock.monotonicTimeNanosUnsafe() - begun) / 1e6, context))
      return fiber
    }
    return awaiting(caller, operation, begin, limit, abandoned)
  }

  /** A call as a line of the log, where there is one. */
  const logged = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Operations.store(effect, {
      operation: operation.replaceAll(/[A-Z]/g, "_$&").toUpperCase(),
      collection: "idempotency-keys",
      database: slots.name,
      documentCount: operation === "create" ? 1 : () => null
    })

  /** The same with its span. What takes longer than its limit counts as not answered. */
  const call = <A, E>(
    operation: string,
    effect: Effect.Effect<A, E>,
    limit = patience,
    abandoned?: (rest: Effect.Effect<A, E | StoreUnavailable>) => void
  ): Effect.Effect<A, E | StoreUnavailable> => {
    const sent = (caller: Fiber.Fiber<unknown, unknown>) =>
      slots.local ? effect : limited(caller, operation, effect, limit, abandoned)
    return Effect.withFiber<A, E | StoreUnavailable>((caller) => {
      // The logger makes its span.
      if (Operations.isLogged(caller)) return logged(operation, Effect.withFiber(sent))
      // Nobody sees its span.
      if (slots.local || caller.getRef(Tracer.Tracer) === Tracer.nativeTracer) return sent(caller)
      return Effect.withSpan(Effect.withFiber(sent), `IdempotencyStore.${operation}`, {
        attributes: label,
        kind: "client",
        // Where in this file it was made says nothing, and costs more than the rest of the span.
        captureStackTrace: false
      })
    })
  }

  /** Compares a time of the store's with ours before and after it was taken. */
  const compare = (before: number, server: number, after: number, margin: number): Effect.Effect<void, ClockSkew> => {
    const difference = server < before ? before - server : server > after ? after - server : 0
    return Math.abs(difference) > margin ? Effect.fail(new ClockSkew({ difference, margin })) : Effect.void
  }

  let checkedAt: number | undefined
  const readClock = Effect.fnUntraced(function* (clock: Clock.Clock, { margin, storeCall }: EpochLog.Parameters) {
    const before = clock.currentTimeMillisUnsafe()
    const server = yield* call("time", slots.time, storeCall)
    if (server !== undefined) yield* compare(before, server, clock.currentTimeMillisUnsafe(), margin)
    checkedAt = ownTime(clock)
  })
  /** An effect behind a look at the clocks: at start and hourly; while they differ, each time. */
  const withClock = <A, E>(
    parameters: EpochLog.Parameters,
    effect: Effect.Effect<A, E>,
    restore: <A, E>(reading: Effect.Effect<A, E>) => Effect.Effect<A, E>
  ): Effect.Effect<A, E | StoreError> =>
    Effect.withFiber((fiber) => {
      const clock = fiber.getRef(Clock.Clock)
      return slots.local || (checkedAt !== undefined && ownTime(clock) - checkedAt < clockInterval)
        ? effect
        : Effect.andThen(restore(readClock(clock, parameters)), effect)
    })

  const created: Answer = { _tag: "Created" }

  const create = (
    { about, key, parameters }: Sender,
    { list, row }: Extract<Command, { readonly _tag: "Create" }>
  ): Effect.Effect<Answer, StoreError> =>
    Effect.withFiber((fiber) => {
      const clock = fiber.getRef(Clock.Clock)
      const before = clock.currentTimeMillisUnsafe()
      return Effect.flatMap(slots.create(key, row, about, list), (placed): Effect.Effect<Answer, StoreError> => {
        if (placed._tag === "Taken") return Effect.succeed(placed)
        return placed.serverTime === undefined
          ? Effect.succeed(created)
          : Effect.as(compare(before, placed.serverTime, clock.currentTimeMillisUnsafe(), parameters.margin), created)
      })
    })

  const deleted = Effect.as({ _tag: "Deleted" } as const)

  const commit = (sender: Sender, row: Row): Effect.Effect<Answer, StoreError> => {
    const { about, key, transaction } = sender
    return transaction === undefined || slots.transactions === undefined
      ? Effect.die(new Error("a commit without a transaction"))
      : Effect.map(slots.transactions.commit(transaction.id, transaction.staged, key, row, about), (outcome) => {
          if (outcome._tag === "CommitFailed") sender.refusal = outcome.detail
          return outcome
        })
  }

  /** What a command comes to. A store that says nothing is a failure here, and `NoAnswer` to the functions. */
  const send = (sender: Sender, command: Sent, abandoned: Abandoned | undefined): Effect.Effect<Answer, StoreError> => {
    const { about, key, parameters } = sender
    if (slots.local && command._tag === "Create") {
      const placing = slots.create(key, command.row, about, command.list)
      return sender.isLogged ? logged("create", placing) : placing
    }
    const sent = (operation: string, effect: Effect.Effect<Answer, StoreError>) =>
      call<Answer, StoreError>(operation, effect, parameters.storeCall, abandoned)
    switch (command._tag) {
      case "Create":
        return sent("create", create(sender, command))
      case "List":
        return sent(
          "list",
          Effect.map(slots.list(key), (chain) => ({ _tag: "Listed", chain }))
        )
      case "DeleteGeneration":
        return sent("deleteGeneration", deleted(slots.deleteGeneration(key, command.generation)))
      case "DeleteRow": {
        const gone = slots.deleteRow(key, command.slot, command.generation)
        return sent("deleteRow", deleted(Effect.tap(gone, Metric.update(Metrics.garbageRemoved, 1))))
      }
      case "Commit":
        return sent("commit", commit(sender, command.row))
    }
  }

  return { call, send, withClock }
}
