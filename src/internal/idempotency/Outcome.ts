/** Which ends of a handler are stored, which give the key back, and which leave its claim. */
import * as Cause from "effect/Cause"
import type * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"

/**
 * `store`: this is the answer, for repeated requests too. `release`: nothing has happened, the next request runs at
 * once. `keep`: it may have happened; the claim stays until its lease ends.
 */
export type Outcome = "store" | "release" | "keep"

/** Statuses by which nothing has happened, and the same request may do well a moment later. */
const retryable: ReadonlySet<number> = new Set([401, 403, 407, 408, 409, 421, 423, 424, 425, 429, 503])

export const ofStatus = (status: number, isFinal: boolean): Outcome => {
  if (isFinal) return "store"
  if (retryable.has(status)) return "release"
  return status >= 500 ? "keep" : "store"
}

/** Our own errors that come through a handler from its steps: what it did before them has happened. */
const ours: ReadonlySet<string> = new Set([
  "ChainFull",
  "StoreUnavailable",
  "StoreShapeMismatch",
  "ClockSkew",
  "TimeoutError"
])

/**
 * A typed failure says by `retryable` whether it is final (false: stored) or not (true: given back). One that says
 * nothing is given back, but under `atMostOnce`, where what nobody knows is not tried again.
 */
export const ofFailure = (error: unknown, atMostOnce: boolean): Outcome => {
  if (Predicate.hasProperty(error, "retryable") && typeof error.retryable === "boolean")
    return error.retryable ? "release" : "store"
  if (Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" && ours.has(error._tag)) return "keep"
  return atMostOnce ? "keep" : "release"
}

/** By the table: a failure by its kind, defects and interruptions stay claimed, a value by `ofValue`. */
export const ofExit = <A, E>(exit: Exit.Exit<A, E>, atMostOnce: boolean, ofValue: (value: A) => Outcome): Outcome => {
  if (exit._tag === "Success") return ofValue(exit.value)
  const [reason, ...others] = exit.cause.reasons
  return reason !== undefined && others.length === 0 && Cause.isFailReason(reason)
    ? ofFailure(reason.error, atMostOnce)
    : "keep"
}
