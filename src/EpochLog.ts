/**
 * Slots that exactly one writer gets: the protocol under idempotency, as functions of data.
 *
 * A key has the slots 0 to `lastSlot`. A row is created in a slot once, and never changed: whoever creates it has
 * decided. Claims, renewals, steps and ends of one life of the key, its generation, stand in consecutive slots; the
 * last of them, the top, is its state.
 *
 *   ABSENT ─ claim ─▶ CLAIMED(owner, lease) ─ done ──────▶ DONE(response) ─ expiresAt ─▶ EXPIRED ─ reclaim ─▶ ABSENT
 *                       │     ▲   │ renewal, step
 *                       │     └───┘
 *                       ├─ released ─▶ RELEASED ─ claim ─▶ CLAIMED(next owner)
 *                       └─ lease and margin over ─ claim ─▶ CLAIMED(next owner)
 *
 * I1  one accepted completion per generation
 * I2  never two owners with an unexpired lease
 * I3  without lease expiry or release the handler starts at most once
 * I4  all recorded answers of a generation are identical, and none is given once a newer generation stands
 * I5  a new generation starts only when `expiresAt` is over on every clock
 * I6  a claim, renewal or step counts only if acknowledged within its own lease, a completion only by `expiresAt`
 * I7  who runs under a live lease has its row in the store
 * I8  in a transaction: writes of a generation are applied at most once, and exactly once where a success was told
 * L1  a caller whose answers arrive decides within 8 passes, whatever state others left
 * L2  an owner with a live lease never loses its result
 * L3  a caller alone that follows `until` decides within 4 calls, by `expiresAt` + margin
 *
 * Commands may be lost, may land after their sender gave up, and answers may be lost after they landed. Time is trusted
 * for two things alone: that an owner's lease ends on its own clock before strangers, by `margin`, take it for ended,
 * and that a generation is over on every clock before its rows are deleted.
 *
 * No clock, no chance, no effect: each event brings its moment and a fresh nonce. A driver runs the commands on a
 * store; a model explores these very functions (`npm run model`).
 */
import * as Acquire from "./internal/epochLog/Acquire.ts"
import type { Event, Next, Parameters, Rules, State } from "./internal/epochLog/Data.ts"
import * as Own from "./internal/epochLog/Own.ts"

export type {
  Answer,
  Chain,
  Command,
  Event,
  Moment,
  Next,
  Outcome,
  Parameters,
  Reply,
  Row,
  Rules,
  State
} from "./internal/epochLog/Data.ts"
export { baseOf, chainOf, isPurged, place, takes, topOf } from "./internal/epochLog/Chain.ts"

/** All rules, as they are in production. */
export const rules: Rules = {
  createOnce: true,
  freshNonce: true,
  leaseAtAcknowledgement: true,
  leaseCapped: true,
  completionWithinExpiry: true,
  marginAtTakeover: true,
  marginAtReclaim: true,
  chainByGeneration: true,
  deleteByGeneration: true,
  garbageRemoval: true,
  noReplayPastExpiry: true,
  purgeAfterMargin: true,
  lostSendsNothing: true,
  conflictIsRead: true,
  oldListAgain: true,
  ownLateRenewal: true,
  lastSlotReserved: true,
  transactionTtl: true,
  occupy: true,
  ownRowAtTop: true,
  noClaimPastExpiry: true,
  createBeatsList: true
}

/** Slots of a key: 0 to 62 take claims and steps, the last an end alone. */
export const slots = 64

/** Passes of a caller that decides nothing, before it gives up. */
export const passes = 8

/**
 * What an event does to an attempt. At most one of the commands is for the store, and its answer is the next event;
 * besides it, `HandlerEnded`, `StepEnded` and `RenewalDue` come while nothing is sent. An event that comes too late
 * changes nothing.
 */
export const step = <C>(parameters: Parameters, state: State<C>, event: Event<C>): Next<C> => {
  switch (event._tag) {
    case "Request":
      return state._tag === "Idle" ? Acquire.begin(parameters, event.fingerprint, event) : [state, []]
    case "Answer":
      if (state._tag === "Acquiring") return Acquire.answered(parameters, state, event.answer, event)
      return state._tag === "Owning" ? Own.answered(parameters, state, event.answer, event) : [state, []]
    case "HandlerEnded":
      return state._tag === "Owning" ? Own.handlerEnded(parameters, state, event.outcome, event) : [state, []]
    case "StepEnded":
      return state._tag === "Owning" ? Own.stepEnded(parameters, state, event.step, event.content, event) : [state, []]
    case "RenewalDue":
      return state._tag === "Owning" ? Own.renewalDue(parameters, state, event) : [state, []]
  }
}
