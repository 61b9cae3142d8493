/** One attempt on a key: the functions of EpochLog.ts, driven on a store until they come to rest. */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as EpochLog from "../../EpochLog.ts"
import { type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import type { Staged } from "../../Operation.ts"
import { type Answer, type Command, type Sender, type Sent } from "./Calls.ts"
import type { Content, Stored } from "./Content.ts"
import { ownTime } from "./Deadlines.ts"
import type { About } from "./Slots.ts"
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

/** Answers, which are most events, without a copy of what is not known to be one. */
const at = (event: Event, { now, nonce, own }: EpochLog.Moment): EpochLog.Event<Stored> =>
  event._tag === "Answer" ? { _tag: "Answer", answer: event.answer, now, own, nonce } : { ...event, now, own, nonce }

const isResting = (command: Command): command is Resting =>
  command._tag === "RunHandler" || command._tag === "Resume" || command._tag === "Reply"

export interface Driven {
  readonly send: (sender: Sender, command: Sent) => Effect.Effect<Answer, StoreError>
  readonly nonce: () => string
}

/**
 * Feeds an event, runs what comes of it, and feeds what comes of that, until the attempt rests; goes on with `then`.
 * `leave` is called at the end, whatever that is but an interruption.
 *
 * On the fiber of its caller, and by plain functions between the calls of the store: every request passes here, and
 * each generator, each effect between two others, costs as much as a hash.
 */
export const drive = <A, E>(
  fiber: Fiber.Fiber<unknown, unknown>,
  { nonce, send }: Driven,
  attempt: Attempt,
  first: Event,
  then: (command: Resting, context: Context.Context<never>) => Effect.Effect<A, E>,
  leave: () => void = () => {}
): Effect.Effect<A, E | StoreError> => {
  const clock = fiber.getRef(Clock.Clock)
  const { parameters } = attempt
  let begun = 0

  const rest = (command: Resting) => {
    leave()
    return then(command, fiber.context)
  }

  const feed = (event: Event, pass: number): Effect.Effect<A, E | StoreError> => {
    const own = ownTime(clock)
    if (pass === 0) begun = own
    // An owner begins nothing anew: it needs no nonce.
    const isOwning = attempt.state._tag === "Owning"
    const moment = { now: clock.currentTimeMillisUnsafe(), own, nonce: isOwning ? "" : nonce() }
    const [state, commands] = EpochLog.step(parameters, attempt.state, at(event, moment))
    attempt.state = state
    // An interruption stands before the reply that it is for.
    const command = commands.at(-1)
    if (command === undefined || command._tag === "Interrupt") {
      leave()
      return Effect.die(new Error(`${event._tag} came to an attempt that is ${state._tag}`))
    }
    if (isResting(command)) return rest(command)
    if (state._tag === "Acquiring" && (pass >= EpochLog.passes || own - begun > parameters.lease / 4)) {
      attempt.state = { _tag: "Over" }
      return rest({ _tag: "Reply", reply: { _tag: "Unavailable" } })
    }
    if (pass > 0 && attempt.isEnding && state._tag === "Owning" && state.handler === "running")
      return rest({ _tag: "Resume", result: "undecided" })
    const answered = Effect.matchCauseEffect(send(attempt, command), {
      onSuccess: (answer) => feed({ _tag: "Answer", answer }, pass + 1),
      onFailure: (cause): Effect.Effect<A, E | StoreError> => {
        const [reason] = cause.reasons
        if (reason?._tag !== "Fail" || reason.error._tag !== "StoreUnavailable") {
          leave()
          return Effect.failCause(cause)
        }
        attempt.trouble = reason.error
        return feed({ _tag: "Answer", answer: { _tag: "NoAnswer" } }, pass + 1)
      }
    })
    const isFresh = event._tag !== "Answer" || event.answer._tag === "Deleted"
    return pass > 1 && !isFresh ? Effect.andThen(pause(pass - 2), answered) : answered
  }
  return feed(first, 0)
}
