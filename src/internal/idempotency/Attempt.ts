/** One attempt on a key: the functions of EpochLog.ts, driven on a store until they come to rest. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Semaphore from "effect/Semaphore"
import * as EpochLog from "../../EpochLog.ts"
import { type StoreError, StoreUnavailable } from "../../IdempotencyError.ts"
import type { Staged } from "../../Operation.ts"
import { type Answer, type Command, ownTime, type Sender, type Sent } from "./Calls.ts"
import type { Content, Stored } from "./Content.ts"
import type { About } from "./Slots.ts"

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
  readonly turn = Semaphore.makeUnsafe(1)
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
  readonly send: (sender: Sender, command: Sent) => Effect.Effect<Answer, StoreError>
  readonly nonce: () => string
}

/** Feeds an event, runs what comes of it, and feeds what comes of that, until the attempt rests. */
export const drive = Effect.fnUntraced(function* (
  { nonce, send }: Driven,
  attempt: Attempt,
  first: Event
): Effect.fn.Return<Resting, StoreError> {
  const clock = yield* Clock.Clock
  const { parameters } = attempt
  const begun = ownTime(clock)
  let event: Event = first
  for (let pass = 0; ; pass++) {
    const own = ownTime(clock)
    const whole = { ...event, now: clock.currentTimeMillisUnsafe(), own, nonce: nonce() }
    const [state, commands] = EpochLog.step(parameters, attempt.state, whole)
    attempt.state = state
    // An interruption stands before the reply that it is for.
    const command = commands.at(-1)
    if (command === undefined || command._tag === "Interrupt")
      return yield* Effect.die(new Error(`${event._tag} came to an attempt that is ${state._tag}`))
    if (isResting(command)) return command
    if (state._tag === "Acquiring" && (pass >= EpochLog.passes || own - begun > parameters.lease / 4)) {
      attempt.state = { _tag: "Over" }
      return { _tag: "Reply", reply: { _tag: "Unavailable" } }
    }
    if (pass > 0 && attempt.isEnding && state._tag === "Owning" && state.handler === "running")
      return { _tag: "Resume", result: "undecided" }
    const isFresh = event._tag !== "Answer" || event.answer._tag === "Deleted"
    if (pass > 1 && !isFresh) yield* pause(pass - 2)
    const answer = yield* Effect.catchTag(send(attempt, command), "StoreUnavailable", (trouble) => {
      attempt.trouble = trouble
      return Effect.succeed<Answer>({ _tag: "NoAnswer" })
    })
    event = { _tag: "Answer", answer }
  }
})
