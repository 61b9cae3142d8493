/**
 * When a lease is mine, alive, over. Clocks of two processes may differ by `margin`, so what an owner may count on
 * ends earlier than what strangers must respect:
 *
 *   taken ──────── mine ────────▶ leaseExpiresAt ── + margin ──▶ others may take over
 *   begun ──── replays, writes ──▶ expiresAt ────── + margin ──▶ others may begin anew
 *
 * Source: Gray and Cheriton, "Leases", SOSP 1989, section 2.
 */

/** Milliseconds, all of them. */
export interface Times {
  /** How long an owner is left alone without a renewal. */
  readonly lease: number
  /** The largest difference between two clocks, the store's included. */
  readonly margin: number
  /** The least that must be left of a lease for a handler to start. */
  readonly useful: number
  /** From a key's first claim to its end. */
  readonly ttl: number
}

/** The end of a lease taken now. Nothing outlives its generation. */
export const until = (times: Times, now: number, expiresAt: number): number => Math.min(now + times.lease, expiresAt)

/** For its owner, who measured it from before it was asked for. */
export const isMine = (leaseExpiresAt: number, now: number): boolean => now <= leaseExpiresAt

/** For everybody else. */
export const isAlive = (times: Times, leaseExpiresAt: number, now: number): boolean =>
  now <= leaseExpiresAt + times.margin

/** Nothing is replayed, claimed or accepted any more. */
export const isExpired = (expiresAt: number, now: number): boolean => now > expiresAt

/** Nobody, whatever his clock, still counts on it: the key may begin anew. */
export const isOver = (times: Times, expiresAt: number, now: number): boolean => now > expiresAt + times.margin
