/** How an operation is protected: the numbers, their defaults, and what does not go together. */
import * as Config from "effect/Config"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as EpochLog from "./EpochLog.ts"
import { OptionsInvalid } from "./IdempotencyError.ts"
import { optional, optionalList } from "./internal/Settings.ts"

export interface Options {
  /**
   * How long an attempt is left alone without a renewal. At least the longest time the event loop may stand still;
   * without `renew` at least the function's timeout. Default 60 seconds.
   */
  readonly lease?: Duration.Input | undefined
  /** Lengthen the lease at its half while the handler runs. Default true. */
  readonly renew?: boolean | undefined
  /** At least the largest difference between two clocks, the store's included. The same everywhere. Default 5 seconds. */
  readonly margin?: Duration.Input | undefined
  /** How long a key is remembered, from its first claim. At least 2 × lease + margin. Default 24 hours. */
  readonly ttl?: Duration.Input | undefined
  /** The least that must be left of a lease for a handler to start. Default half the lease. */
  readonly useful?: Duration.Input | undefined
  /** Limit of one call of the store; past it the call counts as not answered. Default lease / 12. */
  readonly storeCall?: Duration.Input | undefined
  /**
   * `atLeastOnce`: after a lease ran out, the next request runs the handler again. `atMostOnce`: it is told that nobody
   * knows, unless `reconcile` does. Default `atLeastOnce`.
   */
  readonly mode?: "atLeastOnce" | "atMostOnce" | undefined
  /** While the first request runs: refuse (409), or wait for its answer. Default `conflict`. */
  readonly whenInProgress?: "conflict" | "wait" | undefined
  /** How long `wait` waits. Default 25 seconds: Appwrite cuts a synchronous execution at 30. */
  readonly waitFor?: Duration.Input | undefined
  /**
   * A request without a key: `required` refuses it, `optional` lets it run unprotected, `payload` makes its key out of
   * what it asks for. Default `required`.
   */
  readonly keyPolicy?: "required" | "optional" | "payload" | undefined
  /** Accept keys in the draft's form alone, a quoted string. Default false. */
  readonly strict?: boolean | undefined
  /**
   * A response longer than a row: in `parts`, up to four, or kept as a `marker` of its status and headers; a repeated
   * request is then told that it has happened (410). Default `parts`.
   */
  readonly overflow?: "parts" | "marker" | undefined
  /** Finished keys that this process remembers by itself. 0: none. Default 256. */
  readonly localCache?: number | undefined
  /** `proceed` runs the handler without protection where the store can't be reached, and logs an error. Default `fail`. */
  readonly onStoreFailure?: "fail" | "proceed" | undefined
  /** Apart from all other uses of one store. Default `default`. */
  readonly namespace?: string | undefined
  /** A customer whose keys are apart from those of others. Default none. */
  readonly tenant?: string | undefined
  /**
   * Row ids and fingerprints are hashed under it, so that who reads them can't confirm a guess. Never change it: that
   * forgets all keys. Default none: for keys that nobody guesses, as UUIDs.
   */
  readonly identityKey?: Redacted.Redacted | undefined
  /** Response headers that are kept, besides the status and the body. Default all but those that are never kept. */
  readonly headers?: ReadonlyArray<string> | undefined
  /** Part of the requests that also remove some of what has expired, 0 to 1. Default 0: a scheduled program does. */
  readonly cleanUp?: number | undefined
}

/** Milliseconds, all durations. */
export interface Resolved {
  readonly parameters: EpochLog.Parameters
  readonly renew: boolean
  readonly whenInProgress: "conflict" | "wait"
  readonly waitFor: number
  readonly keyPolicy: "required" | "optional" | "payload"
  readonly strict: boolean
  readonly overflow: "parts" | "marker"
  readonly localCache: number
  readonly onStoreFailure: "fail" | "proceed"
  readonly namespace: string
  readonly tenant: string
  readonly identityKey: Redacted.Redacted | undefined
  readonly headers: ReadonlyArray<string> | undefined
  readonly cleanUp: number
}

/** What a rule of the protocol needs beyond the options. */
export interface Shape {
  readonly reconcile: boolean
  readonly transactional: boolean
}

const hour = 3_600_000

/** Longer than any store can write as a date from now. */
const longest = 100 * 365 * 24 * hour

/** Undefined where it is no length of time. */
const milliseconds = (input: Duration.Input | undefined, fallback: number): number | undefined => {
  if (input === undefined) return fallback
  // A duration of less than nothing would be nothing.
  if (typeof input === "number" && !(input >= 0)) return undefined
  const length = Option.getOrUndefined(Duration.fromInput(input))
  const value = length === undefined ? Number.NaN : Duration.toMillis(length)
  return value >= 0 && value <= longest ? value : undefined
}

/** Options that are one of a few words. */
const words = {
  mode: ["atLeastOnce", "atMostOnce"],
  whenInProgress: ["conflict", "wait"],
  keyPolicy: ["required", "optional", "payload"],
  overflow: ["parts", "marker"],
  onStoreFailure: ["fail", "proceed"]
} as const satisfies { readonly [K in keyof Options]?: ReadonlyArray<NonNullable<Options[K]>> }

/** Options with their defaults; refused where they can't work together. */
export const resolve = (options: Options, shape: Shape): Result.Result<Resolved, OptionsInvalid> => {
  const refuse = (option: string, detail: string) => Result.fail(new OptionsInvalid({ option, detail }))
  for (const [name, known] of Object.entries(words)) {
    const given = options[name as keyof typeof words]
    if (given !== undefined && !known.some((word) => word === given))
      return refuse(name, `${JSON.stringify(given)} is none of ${known.join(", ")}`)
  }
  const lease = milliseconds(options.lease, 60_000)
  const times = {
    lease,
    margin: milliseconds(options.margin, 5000),
    ttl: milliseconds(options.ttl, 24 * hour),
    useful: milliseconds(options.useful, (lease ?? 0) / 2),
    storeCall: milliseconds(options.storeCall, (lease ?? 0) / 12),
    waitFor: milliseconds(options.waitFor, 25_000)
  }
  if (!isComplete(times)) {
    const [name] = Object.entries(times).find(([, value]) => value === undefined)!
    const given = String(options[name as keyof typeof times])
    return refuse(name, `${given} is no length of time from nothing to a hundred years. Write it as "90 seconds"`)
  }
  return together(options, shape, times)
}

type Times = Readonly<Record<"lease" | "margin" | "ttl" | "useful" | "storeCall" | "waitFor", number>>
const isComplete = (times: { readonly [K in keyof Times]: number | undefined }): times is Times =>
  Object.values(times).every((value) => value !== undefined)

/** What each of them may be beside the others. */
const together = (
  options: Options,
  shape: Shape,
  { lease, margin, storeCall, ttl, useful, waitFor }: Times
): Result.Result<Resolved, OptionsInvalid> => {
  const localCache = options.localCache ?? 256
  const cleanUp = options.cleanUp ?? 0
  const refuse = (option: string, detail: string) => Result.fail(new OptionsInvalid({ option, detail }))
  if (lease <= 0) return refuse("lease", "it must be longer than nothing")
  if (storeCall <= 0) return refuse("storeCall", "it must be longer than nothing")
  if (ttl < 2 * lease + margin)
    return refuse(
      "ttl",
      `it is ${ttl} ms, and must be at least 2 × lease + margin = ${2 * lease + margin} ms. Lengthen it, or shorten the lease`
    )
  if (useful > lease) return refuse("useful", `it is ${useful} ms, longer than the lease of ${lease} ms`)
  if (storeCall > lease / 2)
    return refuse(
      "storeCall",
      `it is ${storeCall} ms, and must leave time within a lease of ${lease} ms. Make it ${lease / 12} ms`
    )
  if (!Number.isInteger(localCache) || localCache < 0) return refuse("localCache", `${localCache} is no number of keys`)
  if (!(cleanUp >= 0 && cleanUp <= 1)) return refuse("cleanUp", `${cleanUp} does not lie between 0 and 1`)
  // Appwrite's bounds, and a time in which nothing can land any more: a transaction is opened a call later than asked.
  const transaction = { least: 60_000, most: hour, reserve: Math.max(60_000, storeCall) }
  const shortest = margin + transaction.least + transaction.reserve
  if (shape.transactional && ttl < shortest)
    return refuse("ttl", `it is ${ttl} ms, and a transaction needs ${shortest} ms at least`)
  if (shape.transactional && options.onStoreFailure === "proceed")
    return refuse("onStoreFailure", "a transaction needs the store. Leave it at fail")
  if (shape.reconcile && options.mode !== "atMostOnce")
    return refuse("reconcile", "it is for the mode atMostOnce alone")
  return Result.succeed({
    parameters: {
      lease,
      margin,
      ttl,
      useful,
      storeCall,
      purgeDelay: hour,
      lastSlot: EpochLog.slots - 1,
      atMostOnce: options.mode === "atMostOnce",
      reconcile: shape.reconcile,
      transaction: shape.transactional ? transaction : undefined,
      rules: EpochLog.rules
    },
    renew: options.renew ?? true,
    whenInProgress: options.whenInProgress ?? "conflict",
    waitFor,
    keyPolicy: options.keyPolicy ?? "required",
    strict: options.strict ?? false,
    overflow: options.overflow ?? "parts",
    localCache,
    onStoreFailure: options.onStoreFailure ?? "fail",
    namespace: options.namespace ?? "default",
    tenant: options.tenant ?? "",
    identityKey: options.identityKey,
    headers: options.headers?.map((name) => name.toLowerCase()),
    cleanUp
  })
}

const name = (suffix: string) => `HOLDFAST_IDEMPOTENCY_${suffix}`

/** The environment variable of each option. */
export const settings = {
  lease: optional(Config.Duration(name("LEASE"))),
  renew: optional(Config.Boolean(name("RENEW"))),
  margin: optional(Config.Duration(name("MARGIN"))),
  ttl: optional(Config.Duration(name("TTL"))),
  useful: optional(Config.Duration(name("USEFUL"))),
  storeCall: optional(Config.Duration(name("STORE_CALL"))),
  mode: optional(Config.Literals(["atLeastOnce", "atMostOnce"], name("MODE"))),
  whenInProgress: optional(Config.Literals(["conflict", "wait"], name("WHEN_IN_PROGRESS"))),
  waitFor: optional(Config.Duration(name("WAIT_FOR"))),
  keyPolicy: optional(Config.Literals(["required", "optional", "payload"], name("KEY_POLICY"))),
  strict: optional(Config.Boolean(name("STRICT"))),
  overflow: optional(Config.Literals(["parts", "marker"], name("OVERFLOW"))),
  localCache: optional(Config.Int(name("LOCAL_CACHE"))),
  onStoreFailure: optional(Config.Literals(["fail", "proceed"], name("ON_STORE_FAILURE"))),
  namespace: optional(Config.String(name("NAMESPACE"))),
  tenant: optional(Config.String(name("TENANT"))),
  identityKey: optional(Config.Redacted(name("IDENTITY_KEY"))),
  headers: optionalList(name("HEADERS")),
  cleanUp: optional(Config.Finite(name("CLEAN_UP")))
} satisfies { readonly [K in keyof Required<Options>]: Config.Config<Options[K]> }
