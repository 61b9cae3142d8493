/** The service that operations run on: a store, the options of all of them, and what this process remembers. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type IdempotencyError, type KeyInvalid, OptionsInvalid, type UserInvalid } from "../../IdempotencyError.ts"
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
    readonly resolve: (own: Options.Options, shape: Options.Shape) => Result.Result<Options.Resolved, OptionsInvalid>
  }
>()("holdfast/Idempotency") {}

const names: ReadonlySet<string> = new Set(Object.keys(Options.settings))
const isOption = (name: string): name is keyof Options.Options => names.has(name)

/** What an operation sets by itself; undefined where that is nothing, as for most. */
const ownOptions = (own: Options.Options): Options.Options | undefined => {
  let found: Record<string, unknown> | undefined
  for (const name in own)
    if (isOption(name) && own[name] !== undefined) {
      found ??= {}
      found[name] = own[name]
    }
  return found
}

export const make = Effect.fnUntraced(function* (defaults: Options.Options) {
  const store = yield* IdempotencyStore
  const plain = yield* Effect.fromResult(Options.resolve(defaults, { reconcile: false, transactional: false }))
  const resolved = Result.succeed(plain)
  return Idempotency.of({
    name: store.name,
    defaults,
    environment: {
      store,
      cache: plain.localCache === 0 ? LocalCache.none : LocalCache.make(plain.localCache),
      token: ({ generation, key }, step, name) => Hashes.token(key, generation, `${step}/${name}`)
    },
    resolve: (own, shape) => {
      const more = ownOptions(own)
      return more === undefined && !shape.reconcile && !shape.transactional
        ? resolved
        : Options.resolve({ ...defaults, ...more }, shape)
    }
  })
})

export interface Asked<A, E, R, B> extends Guard.Guarded<A, E, R, B> {
  readonly operation: string
  readonly key: string
  readonly userId: string | undefined
  /** What makes it the same request. */
  readonly parts: ReadonlyArray<string>
}

interface Identity {
  readonly prefix: string
  readonly secret: string | undefined
  readonly about: About
}

/** Before anything is claimed: a store that can't do it at all is no store that is away. */
export const withoutTransactions = (store: string): OptionsInvalid =>
  new OptionsInvalid({
    option: "transactional",
    detail: `the store on ${store} has no transactions. Keep keys in the database that the documents are in (layers/idempotency/Database)`
  })

/** Of an operation or a step, as a row takes it. */
export const isName = (name: string): boolean => name.length > 0 && name.length <= 255 && name.isWellFormed()

/** What a key's rows are called, and what people read of it. */
export const identify = (
  {
    key: given,
    operation,
    userId
  }: { readonly operation: string; readonly key: string; readonly userId?: string | undefined },
  { identityKey, namespace, tenant }: Options.Resolved
): Result.Result<Identity, KeyInvalid | UserInvalid | OptionsInvalid> => {
  if (!isName(operation)) {
    const detail = `${JSON.stringify(operation)} is no name. Give it 1 to 255 characters, and no half of a surrogate pair`
    return Result.fail(new OptionsInvalid({ option: "operation", detail }))
  }
  const checked = IdempotencyKey.check(given)
  if (Result.isFailure(checked)) return Result.fail(checked.failure)
  const known = userId === undefined ? anonymous : IdempotencyKey.checkUser(userId)
  if (Result.isFailure(known)) return Result.fail(known.failure)
  const { success: key } = checked
  const { success: user } = known
  const secret = identityKey === undefined ? undefined : Redacted.value(identityKey)
  return Result.succeed({
    prefix: Hashes.rowPrefix({ namespace, operation, tenant, user, key }, secret),
    secret,
    about: { key, user, operation }
  })
}
const anonymous: Result.Result<string, UserInvalid> = Result.succeed("")

/** Where it is asked for, some requests also remove what has expired. */
const cleaningUp = ({ store }: Environment, share: number): Effect.Effect<void> =>
  Effect.flatMap(Random.next, (chance) =>
    chance < share ? Effect.asVoid(Effect.forkDetach(Effect.ignore(store.removeExpired()))) : Effect.void
  )

/** The key is hashed once, before the handler can change what it was made of; then it is protected, on the fiber of its caller. */
export const protect = <A, E, R, B>(
  fiber: Fiber.Fiber<unknown, unknown>,
  { environment }: Idempotency["Service"],
  asked: Asked<A, E, R, B>
): Effect.Effect<B, E | IdempotencyError, R> => {
  const identity = identify(asked, asked.options)
  if (Result.isFailure(identity)) return Effect.fail(identity.failure)
  const { about, prefix, secret } = identity.success
  const { cleanUp, localCache } = asked.options
  const fingerprint = Hashes.fingerprint(prefix, asked.parts, secret)
  const isUncached = localCache === 0 && environment.cache !== LocalCache.none
  const own = isUncached ? { ...environment, cache: LocalCache.none } : environment
  const guarding = Guard.protect(fiber, own, { key: prefix, fingerprint, about }, asked)
  return cleanUp > 0 ? Effect.andThen(cleaningUp(environment, cleanUp), guarding) : guarding
}
