/**
 * Which of the defects of test/support/defects each contestant has: the scenarios, played on the packages themselves,
 * with their own code from top to bottom. What they leave to their caller, as statuses and marks of replays, is done
 * here as well as it can be. Time is moved by Node's mock of `Date`; Redis is played by a map, which holds up a write or
 * loses an answer where a scenario says so.
 */
import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  IdempotencyKeyError,
  IdempotencyValidationError,
  makeIdempotent
} from "@aws-lambda-powertools/idempotency"
import { CachePersistenceLayer } from "@aws-lambda-powertools/idempotency/cache"
import { Idempotency, IdempotencyError, IdempotencyErrorCodes } from "@node-idempotency/core"
import { MemoryStorageAdapter } from "@node-idempotency/storage-adapter-memory"
import { mock } from "node:test"
import * as Ours from "../../../test/support/defects/Ours.ts"
import { played, scenarios, type Scenario } from "../../../test/support/defects/scenarios.ts"
import {
  type Answer,
  held,
  type Request,
  type Response,
  type Subject,
  times
} from "../../../test/support/defects/Subject.ts"

type StorageAdapter = ConstructorParameters<typeof Idempotency>[0]

const refusal = (status: number, problem: string): Answer => ({ status, headers: {}, body: "", problem })
const replay = ({ body, headers, status }: Response): Answer => ({
  status,
  headers: { ...headers, "idempotency-replayed": "true" },
  body
})

/** A Redis of one map, as far as both peers use it. */
class FakeRedis {
  readonly #values = new Map<string, { readonly value: string; readonly until: number }>()
  takeover: ReturnType<typeof held> | undefined
  loses = false

  #live(key: string): string | undefined {
    const found = this.#values.get(key)
    if (found === undefined || found.until > Date.now()) return found?.value
    this.#values.delete(key)
    return undefined
  }
  async get(key: string): Promise<string | null> {
    return this.#live(key) ?? null
  }
  async del(keys: ReadonlyArray<string>): Promise<number> {
    for (const key of keys) this.#values.delete(key)
    return keys.length
  }
  async set(
    key: string,
    value: string,
    { EX, NX, PX }: { readonly EX?: number; readonly PX?: number; readonly NX?: boolean } = {}
  ): Promise<string | null> {
    if (NX === true && this.#live(key) !== undefined) return null
    // Powertools takes a key over by a plain SET of a record that is in progress.
    if (NX !== true && value.includes("INPROGRESS") && this.takeover !== undefined) {
      const { pass } = this.takeover
      this.takeover = undefined
      await pass()
    }
    this.#values.set(key, { value, until: Date.now() + (PX ?? (EX ?? Infinity) * 1000) })
    if (NX === true && this.loses) {
      this.loses = false
      throw new Error("the answer is lost")
    }
    return "OK"
  }
  rows(): number {
    return [...this.#values.keys()].filter((key) => this.#live(key) !== undefined).length
  }
}

/** What is the same for both. */
const subject = (redis: FakeRedis, call: Subject["call"], rows = () => redis.rows()): Subject => {
  mock.timers.enable({ apis: ["Date"], now: 1_800_000_000_000 })
  // Powertools says that it does not know how much time is left.
  const warnings = mock.method(console, "warn", () => {})
  return {
    call,
    advance: async (milliseconds) => mock.timers.setTime(Date.now() + milliseconds),
    holdTakeover: () => (redis.takeover = held()),
    loseAnswer: () => {
      redis.loses = true
    },
    cleanUp: async () => {},
    rows: async () => rows(),
    close: async () => {
      warnings.mock.restore()
      mock.timers.reset()
    }
  }
}

class TryAgain extends Error {
  readonly response: Response
  constructor(response: Response) {
    super("try again")
    this.response = response
  }
}

/** With the fingerprint of the body (`validates`), and keys out of the whole event, which is the default, or out of user and key. */
const powertools = (validates: boolean, whole: boolean): Subject => {
  const redis = new FakeRedis()
  const persistenceStore = new CachePersistenceLayer({ client: redis })
  return subject(redis, async (request, handler) => {
    let isFirst = false
    const event = Object.assign(request, {
      id: request.key === undefined ? undefined : [request.userId, request.key]
    })
    const config = new IdempotencyConfig({
      ...(whole ? {} : { eventKeyJmesPath: "id" }),
      ...(validates ? { payloadValidationJmesPath: "powertools_json(body)" } : {}),
      throwOnNoIdempotencyKey: true,
      expiresAfterSeconds: times.ttl / 1000
    })
    const run = makeIdempotent(
      async (given: Request, _context: unknown) => {
        isFirst = true
        const response = await handler(given)
        if (response.status === 503) throw new TryAgain(response)
        return response
      },
      { persistenceStore, config, keyPrefix: request.operation }
    )
    try {
      const response = await run(
        event,
        request.hasDeadline ? { getRemainingTimeInMillis: () => times.lease } : undefined
      )
      return isFirst ? response : replay(response)
    } catch (error) {
      if (error instanceof TryAgain) return error.response
      if (error instanceof IdempotencyAlreadyInProgressError) return refusal(409, "in-progress")
      if (error instanceof IdempotencyValidationError) return refusal(422, "fingerprint-mismatch")
      const { cause } = error as Error
      if (error instanceof IdempotencyKeyError || cause instanceof IdempotencyKeyError)
        return refusal(400, "key-missing")
      return refusal(500, "store-unavailable")
    }
  })
}

const problems: Partial<Record<IdempotencyErrorCodes, readonly [number, string]>> = {
  [IdempotencyErrorCodes.IDEMPOTENCY_KEY_MISSING]: [400, "key-missing"],
  [IdempotencyErrorCodes.IDEMPOTENCY_KEY_LEN_EXEEDED]: [400, "key-invalid"],
  [IdempotencyErrorCodes.IDEMPOTENCY_FINGERPRINT_MISSMATCH]: [422, "fingerprint-mismatch"],
  [IdempotencyErrorCodes.REQUEST_IN_PROGRESS]: [409, "in-progress"]
}

const nodeIdempotency = (storage: StorageAdapter, redis: FakeRedis, rows?: () => number): Subject => {
  const idempotency = new Idempotency(storage, { enforceIdempotency: true, cacheTTLMS: times.ttl })
  return subject(
    redis,
    async (request, handler) => {
      const asked = {
        headers: request.key === undefined ? {} : { "idempotency-key": request.key },
        method: "POST",
        path: `/${request.operation}`,
        body: JSON.parse(request.body)
      }
      try {
        const known = await idempotency.onRequest(asked)
        if (known !== undefined)
          return replay({
            ...(known.additional as Pick<Response, "status" | "headers">),
            body: String(known.body ?? "")
          })
        const { body, headers, status } = await handler(request)
        // An answer without a body is told as its plugins tell it: as none.
        await idempotency.onResponse(
          asked,
          body === "" ? (undefined as never) : { body, additional: { status, headers } }
        )
        return { status, headers, body }
      } catch (error) {
        const [status, problem] = problems[(error as IdempotencyError).code] ?? [500, "store"]
        return refusal(status, problem)
      }
    },
    rows
  )
}
const nodeIdempotencyInMemory = (): Subject => {
  const storage = new MemoryStorageAdapter()
  const redis = new FakeRedis()
  return nodeIdempotency(
    {
      get: (key) => storage.get(key),
      set: (key, value, options) => storage.set(key, value, options),
      setIfNotExists: async (key, value, options) => {
        const isNew = await storage.setIfNotExists(key, value, options)
        if (!redis.loses) return isNew
        redis.loses = false
        throw new Error("the answer is lost")
      }
    },
    redis,
    () => (storage as unknown as { readonly cache: Map<string, unknown> }).cache.size
  )
}
/** Its adapter for Redis, line by line, but for the client that it makes. */
const nodeIdempotencyOnRedis = (): Subject => {
  const redis = new FakeRedis()
  return nodeIdempotency(
    {
      setIfNotExists: async (key, value, { ttl } = {}) =>
        (await redis.set(key, value, { NX: true, ...(ttl === undefined ? {} : { PX: ttl }) })) !== null,
      set: async (key, value, { ttl }) => {
        await redis.set(key, value, ttl === undefined ? {} : { PX: ttl })
      },
      get: async (key) => (await redis.get(key)) ?? undefined
    },
    redis
  )
}

/** Titles that only show with an option, which others can't be played with. */
const validating = new Set([
  "a replay with payload validation fails",
  "another body while in progress gives 409, not 422"
])
const hashingAll = new Set(["a handler mutating its input runs twice"])

const subjects: Readonly<Record<string, (scenario: Scenario) => Subject>> = {
  holdfast: () => Ours.make(),
  "node-idempotency": () => nodeIdempotencyInMemory(),
  "node-idempotency, Redis": () => nodeIdempotencyOnRedis(),
  Powertools: ({ title }) => powertools(validating.has(title), hashingAll.has(title))
}

/** Numbers of the scenarios that show a defect, and of those that can't be shown on it. */
export const defectsOf = async (name: string) => {
  const make = subjects[name]
  if (make === undefined) return undefined
  const found: Array<number> = []
  const unshown: Array<number> = []
  for (const [index, scenario] of scenarios.entries()) {
    const outcome = await played(scenario, make(scenario))
    if (outcome === "has it") found.push(index + 1)
    if (outcome === "can't be shown") unshown.push(index + 1)
  }
  return { found, unshown }
}

export const legend: ReadonlyArray<string> = scenarios.map(
  ({ seen, title }, index) => `${index + 1} ${title} (${seen})`
)
