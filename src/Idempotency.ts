/**
 * A retried request happens once.
 *
 *   const charge = Idempotency.run(chargeCard(order), { operation: "charge", key, payload: order, success: Receipt })
 *
 * The first request with a key runs; while it runs, others are told to wait; afterwards they get its very answer, until
 * the key expires. What is promised, and what no protocol can, is in docs/idempotency.md; how, in EpochLog.ts.
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import {
  ChainFull,
  type IdempotencyError,
  KeyMissing,
  OptionsInvalid,
  ResponseNotKept,
  type StoreError,
  StoreUnavailable
} from "./IdempotencyError.ts"
import * as Options from "./IdempotencyOptions.ts"
import { IdempotencyStore, type Inspection, type RemoveOptions } from "./IdempotencyStore.ts"
import { Current } from "./internal/idempotency/Current.ts"
import * as Guard from "./internal/idempotency/Guard.ts"
import * as Hashes from "./internal/idempotency/Hashes.ts"
import { newKey } from "./internal/idempotency/NewKey.ts"
import * as Outcome from "./internal/idempotency/Outcome.ts"
import { payloadText } from "./internal/idempotency/Payload.ts"
import * as Service from "./internal/idempotency/Service.ts"
import * as Transactional from "./internal/idempotency/Transaction.ts"
import * as Values from "./internal/idempotency/Values.ts"

export type { Answered, Reconciled, Status } from "./internal/idempotency/Guard.ts"
export { middleware, type MiddlewareOptions } from "./internal/idempotency/Middleware.ts"
export { Idempotency } from "./internal/idempotency/Service.ts"
export { Transaction } from "./internal/idempotency/Transaction.ts"

/** The service, with the options that all operations share. Options that can't work together refuse to build. */
export const layer = (
  options: Options.Options = {}
): Layer.Layer<Service.Idempotency, OptionsInvalid, IdempotencyStore> =>
  Layer.effect(Service.Idempotency, Service.make(options))

/** The same, from the environment (`HOLDFAST_IDEMPOTENCY_LEASE`, …); what is given here goes first. */
export const layerConfig = (
  options: Options.Options = {}
): Layer.Layer<Service.Idempotency, OptionsInvalid | Config.ConfigError, IdempotencyStore> =>
  Layer.unwrap(
    Effect.map(Config.all(Options.settings), (found) => layer({ ...(found as Options.Options), ...options }))
  )

export interface RunOptions<A, E, R = never> extends Options.Options {
  /** What is done; equal keys of different operations are different keys. */
  readonly operation: string
  /** 1 to 255 printable ASCII characters. Undefined: as `keyPolicy` says. */
  readonly key?: string | undefined
  /** An Appwrite user id. Undefined: an anonymous caller, with keys of its own. */
  readonly userId?: string | undefined
  /** What is asked for: a repetition with another one is refused. JSON. Default null. */
  readonly payload?: unknown
  /** How a value is kept. */
  readonly success: Values.Codec<A>
  /** How a typed failure is kept, where `outcome` stores it. */
  readonly error?: Values.Codec<E> | undefined
  /** Default by the table in docs/idempotency.md. */
  readonly outcome?: ((exit: Exit.Exit<A, E>) => Outcome.Outcome) | undefined
  /** Under `atMostOnce`: what became of an attempt that did not end. It gets the token of `Idempotency.token`. */
  readonly reconcile?: ((token: string) => Effect.Effect<Guard.Reconciled<A>, E, R>) | undefined
}

type Failure<E> = E | IdempotencyError

const guarding = <A, E, R, B>(
  handler: Effect.Effect<A, E, R>,
  own: RunOptions<A, E, R>,
  isTransactional: boolean,
  tell: (value: A, status: Guard.Status) => B
): Effect.Effect<B, Failure<E>, R | Service.Idempotency> =>
  Effect.withFiber<B, Failure<E>, R | Service.Idempotency>((fiber) => {
    const service = Context.getUnsafe(fiber.context, Service.Idempotency)
    const { error, outcome, reconcile, success } = own
    const resolved = service.resolve(own, { reconcile: reconcile !== undefined, transactional: isTransactional })
    if (Result.isFailure(resolved)) return Effect.fail(resolved.failure)
    const options = resolved.success
    if (isTransactional && !service.environment.store.transactional)
      return Effect.fail(Service.withoutTransactions(service.name))
    const text = payloadText(own.payload)
    if (Result.isFailure(text)) return Effect.fail(text.failure)
    const payload = text.success
    let { key } = own
    if (key === undefined) {
      if (options.keyPolicy === "required") return Effect.fail(new KeyMissing())
      if (options.keyPolicy === "optional" && !isTransactional)
        return Effect.map(handler, (value) => tell(value, "unprotected"))
      key = `payload:${Hashes.fingerprint("", [payload], undefined)}`
    }
    return Service.protect(fiber, service, {
      operation: own.operation,
      key,
      userId: own.userId,
      parts: ["run", payload],
      options,
      handler,
      reconcile,
      outcome:
        outcome ??
        ((exit) => {
          const by = Outcome.ofExit(exit, options.parameters.atMostOnce, () => "store")
          // A failure that can't be kept as it is stays claimed.
          return by === "store" && Exit.isFailure(exit) && error === undefined ? "keep" : by
        }),
      encode: (exit) => Values.encode(exit, success, error),
      decode: (content) => Values.decode(content, success, error),
      tell
    })
  })

/** Runs an effect once for its key, and says how its answer came about. */
export const attempt = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: RunOptions<A, E, R>
): Effect.Effect<Guard.Answered<A>, Failure<E>, R | Service.Idempotency> =>
  guarding(effect, options, false, (value, status) => ({ value, status }))

const itself = <A>(value: A): A => value

/** Runs an effect once for its key; repetitions get its answer. */
export const run = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: RunOptions<A, E, R>
): Effect.Effect<A, Failure<E>, R | Service.Idempotency> => guarding(effect, options, false, itself)

/** Runs an effect once for its key, and writes what it stages exactly once: with the completion, in one transaction. */
export const transactional = <A, E, R>(
  effect: Effect.Effect<A, E, R>,
  options: RunOptions<A, E, Exclude<R, Transactional.Transaction>>
): Effect.Effect<A, Failure<E>, Exclude<R, Transactional.Transaction> | Service.Idempotency> =>
  guarding(Transactional.provide(effect), options, true, itself)

/** What became of one item of a batch. */
export interface ItemResult<I, A, E> {
  readonly item: I
  readonly result: Exit.Exit<Guard.Answered<A>, Failure<E>>
}

/**
 * Messages of a queue, or items of a batch: each runs once for its key, and what becomes of each is told apart, so that
 * those that failed are sent again alone.
 */
export const runEach = <I, A, E, R>(
  items: Iterable<I>,
  effect: (item: I) => Effect.Effect<A, E, R>,
  {
    concurrency,
    key,
    payload,
    ...options
  }: Omit<RunOptions<A, E, R>, "key" | "payload"> & {
    /** The message's id. */
    readonly key: (item: I) => string
    /** Default the item itself. */
    readonly payload?: ((item: I) => unknown) | undefined
    /** How many run at a time. Default 1, in order. */
    readonly concurrency?: number | undefined
  }
): Effect.Effect<ReadonlyArray<ItemResult<I, A, E>>, never, R | Service.Idempotency> =>
  Effect.forEach(
    items,
    (item) =>
      // A defect of one, its key's among them, is its own: the others go on.
      Effect.map(
        Effect.exit(
          Effect.suspend(() => {
            const asked = payload === undefined ? item : payload(item)
            return attempt(effect(item), { ...options, key: key(item), payload: asked })
          })
        ),
        (result) => ({ item, result })
      ),
    { concurrency: concurrency ?? 1 }
  )

/** What a step can fail with, beside its effect. */
export type StepError = StoreError | ChainFull | ResponseNotKept | OptionsInvalid

/**
 * A recorded step of a handler: a later attempt gets its result, and does not do it again. Steps of one handler have
 * different names. Its effect may still run twice, where a process ends between the two: pass `token` on.
 *
 * Outside a protected handler it just runs.
 */
export const step: {
  <A extends Schema.Json, E, R>(name: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E | StepError, R>
  <A, E, R>(name: string, effect: Effect.Effect<A, E, R>, success: Values.Codec<A>): Effect.Effect<A, E | StepError, R>
} = Effect.fnUntraced(function* <A, E, R>(
  name: string,
  effect: Effect.Effect<A, E, R>,
  success?: Values.Codec<A>
): Effect.fn.Return<A, E | StepError, R> {
  const current = yield* Current
  if (!Service.isName(name)) {
    const detail = `${JSON.stringify(name.slice(0, 40))} is no name. Give it 1 to 255 characters, and no half of a surrogate pair`
    return yield* new OptionsInvalid({ option: "name of a step", detail })
  }
  if (current === undefined) return yield* effect
  const { environment, lost, ownership } = current
  const recorded = ownership.recorded(name)
  if (recorded !== undefined) return yield* Values.decodeStep(yield* recorded, success)
  const value = yield* Effect.provideService(effect, Current, { ...current, step: name })
  const written = yield* environment.store.step(ownership, name, Values.encodeStep(value, success))
  switch (written._tag) {
    case "Written":
    case "Unneeded":
      return value
    case "Full":
      return yield* new ChainFull({ step: name })
    case "Undecided":
      return yield* new StoreUnavailable({
        operation: "step",
        detail: `the step ${JSON.stringify(name)} was not recorded`
      })
    case "Replay":
    case "InProgress":
      // Another has the key: whoever waits for the handler interrupts it.
      yield* Deferred.succeed(lost, written)
      return yield* Effect.never
    default:
      return written satisfies never
  }
})

/**
 * A key for what the handler calls (an API's own idempotency key, a message's id): the same in every attempt, another
 * for each step, each `name`, and each life of the key. Outside a protected handler, a random one.
 */
export const token = (name = ""): Effect.Effect<string> =>
  Effect.flatMap(Current, (current) =>
    current === undefined ? newKey : Effect.succeed(current.environment.token(current.ownership, current.step, name))
  )

/** For support: what is known of a key, by what it was sent with. Its response only where asked for. */
export const inspect = Effect.fn("Idempotency.inspect")(function* (asked: {
  readonly operation: string
  readonly key: string
  readonly userId?: string | undefined
  readonly tenant?: string | undefined
  readonly namespace?: string | undefined
  readonly response?: boolean | undefined
}): Effect.fn.Return<Inspection | undefined, IdempotencyError, Service.Idempotency> {
  const service = yield* Service.Idempotency
  const { namespace, tenant } = asked
  const shape = { reconcile: false, transactional: false }
  const options = yield* Effect.fromResult(service.resolve({ namespace, tenant }, shape))
  const { prefix } = yield* Effect.fromResult(Service.identify(asked, options))
  return yield* service.environment.store.inspect(prefix, { response: asked.response })
})

/** Removes what has expired, by the service's store: for a scheduled function. */
export const removeExpired = (
  options?: RemoveOptions
): Effect.Effect<{ readonly deletedCount: number }, StoreError, IdempotencyStore> =>
  IdempotencyStore.use((store) => store.removeExpired(options))
