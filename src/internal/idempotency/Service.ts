/** The service that operations run on: a store, the options of all of them, and what this process remembers. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type { IdempotencyError, OptionsInvalid } from "../../IdempotencyError.ts"
import * as IdempotencyKey from "../../IdempotencyKey.ts"
import * as Options from "../../IdempotencyOptions.ts"
import { IdempotencyStore } from "../../IdempotencyStore.ts"
import type { Environment } from "./Current.ts"
import * as Guard from "./Guard.ts"
import * as Hashes from "./Hashes.ts"
import * as LocalCache from "./LocalCache.ts"
import type { About } from "./Slots.ts"

export class Idempotency extends Context.Service<
  Idempotency,
  {
    /** For people: what the store is on. */
    readonly name: string
    readonly defaults: Options.Options
    readonly environment: Environment
    /** The options of an operation over the defaults. */
    readonly resolve: (own: Options.Options, shape: Options.Shape) => Effect.Effect<Options.Resolved, OptionsInvalid>
  }
>()("holdfast/Idempotency") {}

export const make = Effect.fnUntraced(function* (defaults: Options.Options) {
  const store = yield* IdempotencyStore
  const plain = yield* Effect.fromResult(Options.resolve(defaults, { reconcile: false, transactional: false }))
  const names = Object.keys(Options.settings) as ReadonlyArray<keyof Options.Options>
  return Idempotency.of({
    name: store.name,
    defaults,
    environment: {
      store,
      cache: LocalCache.make(plain.localCache),
      token: ({ generation, key }, step, name) => Hashes.token(key, generation, `${step}/${name}`)
    },
    resolve: (own, shape) =>
      !shape.reconcile && !shape.transactional && names.every((name) => own[name] === undefined)
        ? Effect.succeed(plain)
        : Effect.fromResult(
            Options.resolve(
              {
                ...defaults,
                ...Object.fromEntries(names.flatMap((name) => (own[name] === undefined ? [] : [[name, own[name]]])))
              },
              shape
            )
          )
  })
})

export interface Asked<A, E, R> extends Omit<Guard.Guarded<A, E, R>, "key" | "fingerprint" | "about"> {
  readonly operation: string
  readonly key: string
  readonly userId: string | undefined
  /** What makes it the same request. */
  readonly parts: ReadonlyArray<string>
}

/** What a key's rows are called, and what people read of it. */
export const identify = Effect.fnUntraced(function* (
  {
    key: given,
    operation,
    userId
  }: { readonly operation: string; readonly key: string; readonly userId?: string | undefined },
  { identityKey, namespace, tenant }: Options.Resolved
): Effect.fn.Return<Identity, IdempotencyError> {
  const key = yield* Effect.fromResult(IdempotencyKey.check(given))
  const user = userId === undefined ? "" : yield* Effect.fromResult(IdempotencyKey.checkUser(userId))
  const secret = identityKey === undefined ? undefined : Redacted.value(identityKey)
  return {
    prefix: Hashes.rowPrefix({ namespace, operation, tenant, user, key }, secret),
    secret,
    about: { key, user, operation }
  }
})
interface Identity {
  readonly prefix: string
  readonly secret: string | undefined
  readonly about: About
}

/** The key is hashed once, before the handler can change what it was made of; then it is protected. */
export const protect = Effect.fnUntraced(function* <A, E, R>(
  { environment }: Idempotency["Service"],
  asked: Asked<A, E, R>
): Effect.fn.Return<Guard.Answered<A>, E | IdempotencyError, R> {
  const { cleanUp } = asked.options
  const { about, prefix, secret } = yield* identify(asked, asked.options)
  const fingerprint = Hashes.fingerprint(prefix, asked.parts, secret)
  if (cleanUp > 0 && (yield* Random.next) < cleanUp)
    yield* Effect.forkDetach(Effect.ignore(environment.store.removeExpired()))
  return yield* Guard.protect(environment, { ...asked, key: prefix, fingerprint, about })
})
