/** One attempt on a key: the functions of EpochLog.ts, driven on a store until they come to rest. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as EpochLog from "../../EpochLog.ts"
import { type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import type { Staged } from "../../Operation.ts"
import { type Abandoned, type Answer, type Command, type Sender, type Sent } from "./Calls.ts"
import type { Content, Stored } from "./Content.ts"
import { ownTime } from "./Deadlines.ts"
import { isLogged } from "../logging/Operations.ts"
import { type About, plainly } from "./Slots.ts"
import { Turn } from "./Turn.ts"

export interface ClaimRequest {
  /** The prefix of its rows. */
  readonly key: string
  readonly fingerprint: string
  readonly about: About
  readonly parameters: EpochLog.Parameters
  /** A response longer than a row: in parts, or its status and headers alone. Default `parts`. */
  readonly overflow?: "parts" | "marker" | undefined
}

/** The right to run the handler of a key, until its lease ends or another has the key. */
export interface Ownership {
  readonly key: string
  readonly generation: string
  /** After a takeover under `atMostOnce`: ask first what became of the attempt before. */
  readonly reconcile: boolean
  /** What is to be written with the completion. */
  readonly transaction: { readonly id: string; readonly staged: Array<Staged> } | undefined
  /** Milliseconds until the lease ends. */
  readonly remaining: (clock: Clock.Clock) => number
  /** What a step answered that some attempt has recorded; undefined where none has. */
  readonly recorded: (step: string) => Effect.Effect<Content, StoreError> | undefined
}

type Fact<E> = E extends EpochLog.Moment ? Omit<E, keyof EpochLog.Moment> : never
/** An event without its moment. */
export type Event = Fact<EpochLog.Event<Stored>>
/** What an attempt comes to rest at. */
export type Resting = Extract<Command, { readonly _tag: "RunHandler" | "Resume" | "Reply" }>

export class Attempt implements Ownership, Sender {
  state: EpochLog.State<Stored> = { _tag: "Idle" }
  generation = ""
  reconcile = false
  transaction: { readonly id: string; readonly staged: Array<Staged> } | undefined
  steps: ReadonlyArray<EpochLog.Row<Stored>> = []
  /** The handler has ended: a renewal whose fate is not known gives way. */
  isEnding = false
  /** Why the last call had no answer, for whoever is told that nothing came of all. */
  trouble: StoreUnavailable | undefined
  /** Why the store refused a commit. */
  refusal = ""
  isLogged = false
  /** An owner has one write in flight. */
  readonly turn = new Turn()
  readonly key: string
  readonly about: About
  readonly parameters: EpochLog.Parameters
  readonly overflow: "parts" | "marker"
  readonly #read: (stored: Stored) => Effect.Effect<Content, StoreError>

  constructor(request: ClaimRequest, read: (stored: Stored) => Effect.Effect<Content, StoreError>) {
    this.key = request.key
    this.about = request.about
    this.parameters = request.parameters
    this.overflow = request.overflow ?? "parts"
    this.#read = read
  }
  remaining(clock: Clock.Clock): number {
    return this.state._tag === "Owning" ? this.state.lease - ownTime(clock) : 0
  }
  recorded(step: string): Effect.Effect<Content, StoreError> | undefined {
    const row = this.steps.find((known) => known.step === step)
    return row === undefined || row.content === null ? undefined : this.#read(row.content)
  }
  /** Of the generation; milliseconds since the epoch. */
  get expiresAt(): number {
    return this.state._tag === "Owning" ? this.state.row.expiresAt : 0
  }
}

/** Between passes that decided nothing, in milliseconds: full jitter of 25 × 2ⁿ, at most 400. */
const pause = (pass: number) =>
  Effect.flatMap(Random.next, (chance) => Effect.sleep(chance * Math.min(400, 25 * 2 ** pass)))

const isResting = (command: Command): command is Resting =>
  command._tag === "RunHandler" || command._tag === "Resume" || command._tag === "Reply"

export interface Driven {
  readonly send: (sender: Sender, command: Sent, abandoned: Abandoned | undefined) => Effect.Effect<Answer, StoreError>
  readonly nonce: () => string
}

/** What else an event may bring with it. */
interface Besides<A> {
  /** Called at the end, whatever that is but an interruption. */
  readonly leave?: () => void
  /** Makes waiting interruptible again. */
  readonly restore?: <B, E>(waiting: Effect.Effect<B, E>) => Effect.Effect<B, E>
  /** Who waits may be interrupted, and then what has been begun goes on without him; what it comes to is for this. */
  readonly late?: (result: A) => Effect.Effect<unknown, unknown>
}

type Then<A, E> = (command: Resting, context: Context.Context<never>) => Effect.Effect<A, E>
const nothing: Besides<unknown> = {}

/** Plain functions between the calls of the store, and no closure that most requests do not need. */
class Drive<A, E> {
  readonly fiber: Fiber.Fiber<unknown, unknown>
  readonly clock: Clock.Clock
  readonly driven: Driven
  readonly attempt: Attempt
  readonly first: Event
  readonly goOn: Then<A, E>
  readonly besides: Besides<A>
  begun = 0

  constructor(
    fiber: Fiber.Fiber<unknown, unknown>,
    driven: Driven,
    attempt: Attempt,
    first: Event,
    then: Then<A, E>,
    besides: Besides<A>
  ) {
    this.fiber = fiber
    this.clock = fiber.getRef(Clock.Clock)
    this.driven = driven
    this.attempt = attempt
    attempt.isLogged = isLogged(fiber)
    this.first = first
    this.goOn = then
    this.besides = besides
  }

  /** `answer`: what the store said to the command of the pass before; undefined at the first. */
  feed(answer: Answer | undefined, pass: number): Effect.Effect<A, E | StoreError> {
    try {
      return this.#passes(answer, pass)
    } catch (error) {
      this.besides.leave?.()
      return Effect.die(error)
    }
  }

  #passes(answered: Answer | undefined, from: number): Effect.Effect<A, E | StoreError> {
    const { attempt, clock, first } = this
    const { parameters } = attempt
    let answer = answered
    for (let pass = from; ; pass++) {
      const own = ownTime(clock)
      if (pass === 0) this.begun = own
      // An owner begins nothing anew, nor does who becomes one: they need no nonce.
      const isNew = attempt.state._tag !== "Owning" && answer?._tag !== "Created"
      const nonce = isNew ? this.driven.nonce() : ""
      const now = clock.currentTimeMillisUnsafe()
      const event: EpochLog.Event<Stored> =
        answer === undefined ? { ...first, now, own, nonce } : { _tag: "Answer", answer, now, own, nonce }
      const [state, commands] = EpochLog.step(parameters, attempt.state, event)
      attempt.state = state
      // An interruption stands before the reply that it is for.
      const command = commands.at(-1)
      if (command === undefined || command._tag === "Interrupt")
        throw new Error(`${event._tag} came to an attempt that is ${state._tag}`)
      if (isResting(command)) return this.#rest(command)
      if (state._tag === "Acquiring" && (pass >= EpochLog.passes || own - this.begun > parameters.lease / 4)) {
        attempt.state = { _tag: "Over" }
        return this.#rest({ _tag: "Reply", reply: { _tag: "Unavailable" } })
      }
      if (pass > 0 && attempt.isEnding && state._tag === "Owning" && state.handler === "running")
        return this.#rest({ _tag: "Resume", result: "undecided" })
      const isFresh = answer === undefined || answer._tag === "Deleted"
      const { late } = this.besides
      // Of this pass alone: what another write of the attempt leaves behind is not the claim's.
      const abandoned: Abandoned | undefined = late && ((rest) => this.#alone(rest, pass + 1, late))
      const sent = this.driven.send(attempt, command, abandoned)
      const call = plainly(sent)
      if (call === undefined) return this.#wait(sent, pass, pass > 1 && !isFresh, abandoned)
      answer = call()
    }
  }

  #rest(command: Resting): Effect.Effect<A, E> {
    this.besides.leave?.()
    return this.goOn(command, this.fiber.context)
  }

  /** For what the store answers to the command of a pass; `pauses`: a moment before it is sent. */
  #wait(
    sent: Effect.Effect<Answer, StoreError>,
    pass: number,
    pauses: boolean,
    abandoned: Abandoned | undefined
  ): Effect.Effect<A, E | StoreError> {
    const { restore } = this.besides
    const next = this.#answered(restore === undefined ? sent : restore(sent), pass + 1)
    if (!pauses) return next
    const paused = pause(pass - 2)
    return Effect.andThen(
      restore === undefined ? paused : Effect.onInterrupt(restore(paused), () => Effect.sync(() => abandoned?.(sent))),
      next
    )
  }

  #answered(sent: Effect.Effect<Answer, StoreError>, pass: number): Effect.Effect<A, E | StoreError> {
    return Effect.matchCauseEffect(sent, {
      onSuccess: (answer) => this.feed(answer, pass),
      onFailure: (cause): Effect.Effect<A, E | StoreError> => {
        const [reason] = cause.reasons
        if (reason?._tag !== "Fail" || reason.error._tag !== "StoreUnavailable") {
          this.besides.leave?.()
          return Effect.failCause(cause)
        }
        this.attempt.trouble = reason.error
        return this.feed({ _tag: "NoAnswer" }, pass)
      }
    })
  }

  /** On a fiber of its own. */
  #alone(
    rest: Effect.Effect<Answer, StoreError>,
    pass: number,
    late: (result: A) => Effect.Effect<unknown, unknown>
  ): void {
    Effect.runForkWith(this.fiber.context)(Effect.flatMap(this.#answered(rest, pass), late))
  }
}

/**
 * Feeds an event, runs what comes of it, and feeds what comes of that, until the attempt rests; goes on with `then`, on
 * the fiber of its caller. Every request passes here, and each effect between two others costs as much as a hash.
 */
export const drive = <A, E>(
  fiber: Fiber.Fiber<unknown, unknown>,
  driven: Driven,
  attempt: Attempt,
  first: Event,
  then: Then<A, E>,
  besides: Besides<A> = nothing
): Effect.Effect<A, E | StoreError> => new Drive(fiber, driven, attempt, first, then, besides).feed(undefined, 0)
