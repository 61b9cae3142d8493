/**
 * Faults on demand, so that clients can be tested against them.
 *
 * | fault       | what the client meets                                          | was the call done? |
 * | ----------- | -------------------------------------------------------------- | ------------------ |
 * | refused     | the connection is destroyed as soon as its headers are there   | no                 |
 * | unavailable | 503                                                            | no                 |
 * | broken      | 500                                                            | no                 |
 * | limited     | 429 with Retry-After                                           | no                 |
 * | cutBefore   | the whole request is read, then the connection is destroyed    | no                 |
 * | cutAfter    | the call is done, the answer is lost with the connection       | yes                |
 *
 * Which of them meets the n-th call depends on the seed and n alone. They are counted, so that a test can tell the
 * faults it asked for from those that nobody did.
 */
import * as ApiFailure from "./ApiFailure.ts"

export const kinds = ["refused", "unavailable", "broken", "limited", "cutBefore", "cutAfter"] as const
export type Fault = (typeof kinds)[number]

export interface Options {
  /** How many of all calls meet a fault, 0 to 1. Default 0. */
  readonly rate?: number | undefined
  /** Milliseconds that a call takes more, half of it to one and a half. Default 0. */
  readonly latency?: number | undefined
  /** The same seed, the same faults. Default 1. */
  readonly seed?: number | undefined
}

/** A number from 0 to 1 for each pair. Source: Steele and Vigna, the finalizer of SplitMix32 (murmur3). */
const chance = (seed: number, index: number): number => {
  let mixed = (Math.imul(seed, 0x9e3779b9) + Math.imul(index + 1, 0x85ebca6b)) | 0
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
  return ((mixed ^ (mixed >>> 15)) >>> 0) / 0x1_0000_0000
}

export interface Decision {
  readonly fault: Fault | undefined
  /** Milliseconds. */
  readonly latency: number
}

/** What meets the call number `index`. */
export const decide = (options: Options, index: number): Decision => {
  const { latency = 0, rate = 0, seed = 1 } = options
  const drawn = rate > 0 ? chance(seed, 2 * index) : 1
  return {
    fault: drawn < rate ? kinds[Math.min(kinds.length - 1, Math.floor((drawn / rate) * kinds.length))] : undefined,
    latency: latency > 0 ? latency * (0.5 + chance(seed, 2 * index + 1)) : 0
  }
}

/** Seconds that a 429 asks to wait for. */
const retryAfter = "1"

const limited = new ApiFailure.ApiFailure({
  status: 429,
  type: "general_rate_limit_exceeded",
  message: "Rate limit for the current endpoint has been exceeded. Please try again after some time.",
  headers: { "retry-after": retryAfter }
})
const unavailable = ApiFailure.make(503, "general_service_unavailable", "Service Unavailable")

/** The answer of a fault that answers. */
export const answers: { readonly [F in Fault]?: ApiFailure.ApiFailure } = {
  unavailable,
  broken: ApiFailure.serverError,
  limited
}

/** What was done so far. */
export interface Counts {
  calls: number
  /** Faults that were asked for, by kind. */
  readonly faults: { [F in Fault]: number }
  /** Answers of 500 and above that nobody asked for. */
  unexpected: number
}
export const counts = (): Counts => ({
  calls: 0,
  faults: { refused: 0, unavailable: 0, broken: 0, limited: 0, cutBefore: 0, cutAfter: 0 },
  unexpected: 0
})
