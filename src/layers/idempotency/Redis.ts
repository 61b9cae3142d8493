/**
 * `IdempotencyStore` on Redis (7.0 or newer) or Valkey: one string for each key, which holds its last row.
 *
 * A first claim, a replay and a conflict are one native command, `SET NX GET PX`; everything that follows a row is one
 * script, which compares generation and slot. Rows go by themselves at their time to be removed. All names of a key
 * share the hash tag `{…}`, so they lie on one node of a cluster.
 *
 * Replication is asynchronous: a fail-over may forget what was acknowledged. docs/idempotency.md says what that means.
 */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import { hash as digestOf, randomFillSync } from "node:crypto"
import type { SecretMissing } from "../../IdempotencyError.ts"
import { StoreUnavailable } from "../../IdempotencyError.ts"
import {
  type About,
  type Chain,
  encryptionKey,
  IdempotencyStore,
  make as makeStore,
  type MakeOptions,
  type Placed,
  type Row,
  type Slots
} from "../../IdempotencyStore.ts"
import * as Hashes from "../../internal/idempotency/Hashes.ts"
import * as Secret from "./Secret.ts"
import * as Server from "./redis/Server.ts"

export interface Options extends Omit<MakeOptions, "encryption" | "encrypt"> {
  /** Hashes what rows show to people. At least 32 bytes; it may be changed at any time. */
  readonly secret: Redacted.Redacted
  /** The secret before it, which kept responses may still be encrypted under. */
  readonly previousSecret?: Redacted.Redacted | undefined
  /** Encrypts kept responses under the secret. Default false. */
  readonly encrypt?: boolean | undefined
  /** First part of every name. Default `holdfast`. */
  readonly prefix?: string | undefined
  /** Replicas that must have a write before it counts: it makes losses at a fail-over rarer. Default 0. */
  readonly waitReplicas?: number | undefined
  /** Accept a server that evicts keys, and with them the memory of what has happened. Default false. */
  readonly unsafeEviction?: boolean | undefined
  /** For people. Default `redis`. */
  readonly name?: string | undefined
}

/**
 * Puts a row behind the last one, where that is still of the generation and slot that the writer knows; else answers
 * what is there. A value begins with `GENERATION SLOT STEPS `, so that no script reads JSON. The new one comes with no
 * steps in its head, as most have none; with a second key it is a step, which that list gets too.
 */
const append = `
local current = redis.call("GET", KEYS[1])
if not current then return "" end
if string.sub(current, 1, #ARGV[1]) ~= ARGV[1] then return current end
local value = ARGV[2]
local steps = tonumber(string.match(current, "^%d+", #ARGV[1] + 1))
if KEYS[2] then
  steps = steps + 1
  redis.call("RPUSH", KEYS[2], string.match(value, "{.*"))
  redis.call("PEXPIRE", KEYS[2], ARGV[3])
end
if steps > 0 then value = string.gsub(value, " 0 ", " " .. steps .. " ", 1) end
redis.call("SET", KEYS[1], value, "PX", ARGV[3])
return false`

/** Ends a generation, and no other. */
const remove = `
local current = redis.call("GET", KEYS[1])
if current and string.sub(current, 1, #ARGV[1]) == ARGV[1] then redis.call("DEL", KEYS[1], KEYS[2]) end
return 0`

/** A script by its digest; whole where the server does not know it yet, or has forgotten it. */
const script = <A>(redis: Redis.Redis["Service"], lua: string) => {
  const digest = digestOf("sha1", lua)
  return (keys: ReadonlyArray<string>, ...args: ReadonlyArray<string>): Effect.Effect<A, Redis.RedisError> =>
    Effect.catchIf(
      redis.send<A>("EVALSHA", digest, String(keys.length), ...keys, ...args),
      ({ cause }) => String(cause).includes("NOSCRIPT"),
      () => redis.send<A>("EVAL", lua, String(keys.length), ...keys, ...args)
    )
}

/** Drawn for many nonces at once. */
const chance = Buffer.alloc(4096)
let used = chance.length
const nonce = (): string => {
  if (used === chance.length) {
    randomFillSync(chance)
    used = 0
  }
  used += 16
  return chance.toString("hex", used - 16, used)
}

/** Users whose hashes are remembered. */
const mostUsers = 1000

const headOf = (generation: string, slot: number): string => `${generation} ${slot} `

/** The row alone, without what people read beside it. */
const rowOf = (json: string): Row => {
  const row: Omit<Row, "step" | "content"> & Partial<Row> = JSON.parse(json)
  const { content, expiresAt, fingerprint, generation, kind, leaseExpiresAt, owner, purgeAt, slot, step } = row
  return {
    slot,
    kind,
    generation,
    owner,
    fingerprint,
    leaseExpiresAt,
    expiresAt,
    purgeAt,
    step: step ?? null,
    content: content ?? null
  }
}

/** What a value holds: how many steps there are, and the row behind its head. */
const parse = (value: string): { readonly row: Row; readonly steps: number } => {
  const start = value.indexOf("{")
  return { row: rowOf(value.slice(start)), steps: Number(value.slice(0, start).split(" ")[2]) }
}

/** Slots as one string a key. `secret`: hashes what rows show to people. */
export const makeSlots = (redis: Redis.Redis["Service"], options: Options, secret: string): Slots => {
  const name = options.name ?? "redis"
  const prefix = options.prefix ?? "holdfast"
  const waitReplicas = options.waitReplicas ?? 0
  const keyOf = (key: string) => `${prefix}:{${key}}`
  const stepsOf = (key: string) => `${prefix}:{${key}}:steps`
  const partOf = (key: string, part: string, index: number) => `${prefix}:{${key}}:${part}.${index}`
  const runAppend = script<string | null>(redis, append)
  const runRemove = script<number>(redis, remove)

  const call = <A>(operation: string, effect: Effect.Effect<A, Redis.RedisError>): Effect.Effect<A, StoreUnavailable> =>
    Effect.mapError(effect, (error) => new StoreUnavailable({ operation, detail: Server.explain(error), cause: error }))

  const hashed = Hashes.columns(secret)
  // A user comes again.
  const users = new Map<string, string>()
  const userOf = (user: string): string => {
    let found = users.get(user)
    if (found === undefined) {
      found = hashed("user", user)
      if (users.size >= mostUsers) users.clear()
      users.set(user, found)
    }
    return found
  }

  /**
   * What people read. Nobody can look for a value here, so the key's own hash would say nothing that the name does not.
   * A first claim has none of it: it is sent with every repetition too, and then to no end.
   */
  const forPeople = ({ operation, user }: About, createdAt: number): string =>
    `{"userId":"${userOf(user)}","operationType":${JSON.stringify(operation)},"createdAt":${createdAt}}`

  /** As `JSON.stringify` writes it, which takes twice as long for an object of which it knows nothing. */
  const jsonOf = (row: Row, about: About, createdAt: number): string => {
    const { content, expiresAt, fingerprint, generation, kind, leaseExpiresAt, owner, purgeAt, slot, step } = row
    const names = `"kind":"${kind}","generation":"${generation}","owner":"${owner}","fingerprint":${JSON.stringify(fingerprint)}`
    const times = `"leaseExpiresAt":${leaseExpiresAt},"expiresAt":${expiresAt},"purgeAt":${purgeAt}`
    const start = `{"slot":${slot},${names},${times}`
    return slot === 0
      ? `${start}}`
      : `${start},"step":${JSON.stringify(step)},"content":${JSON.stringify(content)},"about":${forPeople(about, createdAt)}}`
  }

  /** The top alone; the steps beside it where a new owner may need them. */
  const chainOf = (key: string, value: string): Effect.Effect<Chain, Redis.RedisError> => {
    const { row, steps } = parse(value)
    return steps === 0 || row.kind === "done"
      ? Effect.succeed({ rows: [row], steps: [], garbage: undefined })
      : Effect.map(redis.send<ReadonlyArray<string>>("LRANGE", stepsOf(key), "0", "-1"), (texts) => ({
          rows: [row],
          steps: texts.map(rowOf).filter(({ generation }) => generation === row.generation),
          garbage: undefined
        }))
  }

  /** Until enough replicas have what was just written. */
  const replicated: Effect.Effect<void, Redis.RedisError | StoreUnavailable> =
    waitReplicas === 0
      ? Effect.void
      : Effect.flatMap(redis.send<number>("WAIT", String(waitReplicas), "1000"), (count) =>
          count >= waitReplicas
            ? Effect.void
            : Effect.fail(
                new StoreUnavailable({
                  operation: "wait",
                  detail: `${count} of ${waitReplicas} replicas have the write. Bring the others back, or lower waitReplicas`
                })
              )
        )

  const created: Effect.Effect<Placed, Redis.RedisError | StoreUnavailable> =
    waitReplicas === 0 ? Effect.succeed({ _tag: "Created" }) : Effect.as(replicated, { _tag: "Created" })

  const sending = (
    key: string,
    row: Row,
    about: About,
    now: number
  ): Effect.Effect<string | null, Redis.RedisError> => {
    const value = `${headOf(row.generation, row.slot)}0 ${jsonOf(row, about, now)}`
    const milliseconds = String(Math.max(1, row.purgeAt - now))
    if (row.slot === 0) return redis.send("SET", keyOf(key), value, "NX", "GET", "PX", milliseconds)
    const keys = row.kind === "step" ? [keyOf(key), stepsOf(key)] : [keyOf(key)]
    return runAppend(keys, headOf(row.generation, row.slot - 1), value, milliseconds)
  }

  const place = (key: string, row: Row, about: About) =>
    Effect.withFiber((fiber) =>
      Effect.flatMap(
        sending(key, row, about, fiber.getRef(Clock.Clock).currentTimeMillisUnsafe()),
        (found): Effect.Effect<Placed, Redis.RedisError | StoreUnavailable> => {
          if (found === null) return created
          return found === ""
            ? Effect.succeed({ _tag: "Taken", chain: undefined })
            : Effect.mapEager(chainOf(key, found), (chain) => ({ _tag: "Taken", chain }))
        }
      )
    )

  return {
    name,
    local: false,
    nonce,
    create: (key, row, about) =>
      place(key, row, about).pipe(Effect.catchTag("RedisError", (error) => call("create", Effect.fail(error)))),
    list: (key) =>
      Effect.flatMap(redis.send<string | null>("GET", keyOf(key)), (value) =>
        // What is seen may be one's own write, whose replication was not waited for.
        value === null ? Effect.undefined : Effect.tap(chainOf(key, value), () => replicated)
      ).pipe(Effect.catchTag("RedisError", (error) => call("list", Effect.fail(error)))),
    deleteGeneration: (key, generation) =>
      call("deleteGeneration", Effect.asVoid(runRemove([keyOf(key), stepsOf(key)], `${generation} `))),
    // One string holds one generation: nothing of another can stand behind it.
    deleteRow: () => Effect.void,
    putParts: (key, { purgeAt }, part, texts) =>
      call(
        "putParts",
        Effect.flatMap(Clock.currentTimeMillis, (now) =>
          Effect.forEach(
            texts,
            (text, index) =>
              redis.send("SET", partOf(key, part, index), text, "PX", String(Math.max(1, purgeAt - now))),
            { discard: true }
          )
        )
      ),
    getParts: (key, part, count) =>
      call(
        "getParts",
        Effect.forEach(
          Array.from({ length: count }, (_, index) => partOf(key, part, index)),
          (one) => Effect.map(redis.send<string | null>("GET", one), (text) => text ?? undefined)
        )
      ),
    // The server does it by itself.
    removePurged: () => Effect.succeed(0),
    time: call(
      "time",
      Effect.map(
        redis.send<readonly [string, string]>("TIME"),
        ([seconds, micros]) => Number(seconds) * 1000 + Math.floor(Number(micros) / 1000)
      )
    ),
    transactions: undefined
  }
}

/** The store on the Redis around it; looks first whether the server keeps what it is given. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const redis = yield* Redis.Redis
  const secret = yield* Secret.check(options.name ?? "redis", options.secret)
  yield* Server.inspect(redis, options.unsafeEviction ?? false)
  const known = [options.secret, ...(options.previousSecret === undefined ? [] : [options.previousSecret])]
  return makeStore(makeSlots(redis, options, secret), {
    ...options,
    encryption: known.map((one) => encryptionKey(Redacted.value(one)))
  })
})

/** Refuses a secret that is too short, a replica, a server that evicts, and one that is too old. */
export const layer = (options: Options): Layer.Layer<IdempotencyStore, SecretMissing | StoreUnavailable, Redis.Redis> =>
  Layer.effect(IdempotencyStore, Effect.map(make(options), IdempotencyStore.of))

/**
 * A command is sent at once or not at all: one that waits for a connection would land long after its caller has given
 * up. So none waits, and the client's own timer for those that do, a seventh of the time of a command, is not needed.
 */
const sentAtOnce = { disableOfflineQueue: true, commandOptions: { timeout: 0 } } as const

/** The store on `redis://…` or `rediss://…`, by a connection of its own. */
export const layerUrl = (
  url: string,
  options: Options
): Layer.Layer<IdempotencyStore, SecretMissing | StoreUnavailable> => {
  const name = Server.nameOf(url)
  if (!/^rediss?:$/.test(URL.parse(url)?.protocol ?? "")) {
    const shown = JSON.stringify(url.replace(/\/\/.*@/, "//…@"))
    const detail = `${shown} is no address of Redis. Write redis://HOST:PORT, or rediss:// with TLS`
    return Layer.effect(IdempotencyStore, Effect.fail(new StoreUnavailable({ operation: "connect", detail })))
  }
  return layer({ name, ...options }).pipe(
    Layer.provide(NodeRedis.layer({ url, socket: { connectTimeout: 5000 }, ...sentAtOnce })),
    Layer.catchTag("RedisError", (error) =>
      Layer.effect(
        IdempotencyStore,
        Effect.fail(
          new StoreUnavailable({ operation: "connect", detail: `${name}: ${Server.explain(error)}`, cause: error })
        )
      )
    )
  )
}

/** The same, with the secret of `HOLDFAST_SECRET`. */
export const layerConfig = (
  url: string,
  options: Omit<Options, keyof Secret.Secrets> = {}
): Layer.Layer<IdempotencyStore, SecretMissing | StoreUnavailable> =>
  Layer.unwrap(
    Effect.map(Secret.fromConfig(Server.nameOf(url)), (secrets) => layerUrl(url, { ...options, ...secrets }))
  )
