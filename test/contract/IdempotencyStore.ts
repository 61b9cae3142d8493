/**
 * What every layer of `IdempotencyStore` promises, as a function of the layer: its slots under the protocol, by clocks
 * that are moved by hand. Titles are those of /docs/idempotency.md's rules.
 */
import { describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { abandoned } from "./idempotency/abandoned.ts"
import { atomicClaim } from "./idempotency/atomicClaim.ts"
import { bodies } from "./idempotency/bodies.ts"
import { calls } from "./idempotency/calls.ts"
import { cleanUp } from "./idempotency/cleanUp.ts"
import { clockSkew } from "./idempotency/clockSkew.ts"
import { creation } from "./idempotency/creation.ts"
import { expiry } from "./idempotency/expiry.ts"
import { fencing } from "./idempotency/fencing.ts"
import { garbage } from "./idempotency/garbage.ts"
import { lostAnswers } from "./idempotency/lostAnswers.ts"
import { outcomes } from "./idempotency/outcomes.ts"
import { ownRow } from "./idempotency/ownRow.ts"
import { renewal } from "./idempotency/renewal.ts"
import { type Promised, Site, type Traits, worldOf } from "./idempotency/support.ts"
import { takeover } from "./idempotency/takeover.ts"
import { transactionalCompletion } from "./idempotency/transactional.ts"
import { users } from "./idempotency/users.ts"

const groups: { readonly [name: string]: (promise: Promised, traits: Traits) => void } = {
  "atomic claim": atomicClaim,
  "own-row rule": ownRow,
  "takeover by exactly one": takeover,
  "fenced completion and release": fencing,
  "renewal and step": renewal,
  "lost answers, and the conflict with one's own row": lostAnswers,
  "abandoned commands that land after their generation": abandoned,
  "garbage of a dead generation": garbage,
  "expired keys, and the margin window": expiry,
  "clean-up racing with use": cleanUp,
  "clock skew": clockSkew,
  bodies,
  "transactional completion": transactionalCompletion,
  "outcome table": outcomes,
  "several processes creating the store at once": creation,
  "calls of the slots": calls,
  "users, anonymous callers, joined headers": users
}

export const contract = <E>(name: string, site: Layer.Layer<Site, E>, traits: Traits): void =>
  layer(site, { excludeTestServices: true })(`IdempotencyStore on ${name}`, (it) => {
    const promise: Promised = (title, body, options) =>
      it.effect(
        title,
        Effect.fnUntraced(function* () {
          const store = yield* Site.use(({ fresh }) => fresh)
          if (options?.isBare !== true) yield* (yield* store.connect).list("k")
          yield* body(worldOf(store))
        })
      )
    for (const [group, state] of Object.entries(groups)) describe(group, () => state(promise, traits))
  })
