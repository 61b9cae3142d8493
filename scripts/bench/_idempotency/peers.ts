/** The released packages, as their documentation uses them. */
import { IdempotencyConfig, makeIdempotent } from "@aws-lambda-powertools/idempotency"
import { CachePersistenceLayer } from "@aws-lambda-powertools/idempotency/cache"
import type { CacheClient } from "@aws-lambda-powertools/idempotency/cache/types"
import { BasePersistenceLayer, type IdempotencyRecord } from "@aws-lambda-powertools/idempotency/persistence"
import { IdempotencyItemAlreadyExistsError, IdempotencyItemNotFoundError } from "@aws-lambda-powertools/idempotency"
import { Idempotency } from "@node-idempotency/core"
import { MemoryStorageAdapter } from "@node-idempotency/storage-adapter-memory"
import { RedisStorageAdapter } from "@node-idempotency/storage-adapter-redis"
import { chargeLater, type Contested, operation, payload } from "./charging.ts"

/** What a function on Lambda knows: without it, Powertools takes every claim for an orphan. */
const context = { getRemainingTimeInMillis: () => 60_000 }

/** Powertools has no store in memory; this is the least that its interface asks for. */
class MapPersistence extends BasePersistenceLayer {
  readonly #records = new Map<string, IdempotencyRecord>()
  protected override async _deleteRecord({ idempotencyKey }: IdempotencyRecord) {
    this.#records.delete(idempotencyKey)
  }
  protected override async _getRecord(idempotencyKey: string) {
    const record = this.#records.get(idempotencyKey)
    if (record === undefined) throw new IdempotencyItemNotFoundError(idempotencyKey)
    return record
  }
  protected override async _putRecord(record: IdempotencyRecord) {
    const existing = this.#records.get(record.idempotencyKey)
    if (existing !== undefined && !existing.isExpired())
      throw new IdempotencyItemAlreadyExistsError("it is there already", existing)
    this.#records.set(record.idempotencyKey, record)
  }
  protected override async _updateRecord(record: IdempotencyRecord) {
    this.#records.set(record.idempotencyKey, record)
  }
}

interface Event {
  readonly key: string
  readonly payload: typeof payload
  readonly ends: boolean
}

/** `validates`: with the fingerprint of the payload. On Redis a replay fails with it. */
const powertools = (store: BasePersistenceLayer, validates: boolean): Contested => {
  const config = new IdempotencyConfig({
    eventKeyJmesPath: "key",
    throwOnNoIdempotencyKey: true,
    expiresAfterSeconds: 86_400,
    ...(validates ? { payloadValidationJmesPath: "payload" } : {})
  })
  const run = makeIdempotent(
    async (event: Event, _context: typeof context) =>
      event.ends ? chargeLater(event.payload) : new Promise<never>(() => {}),
    { persistenceStore: store, config, keyPrefix: operation }
  )
  return {
    call: (key) => run({ key, payload, ends: true }, context),
    claim: (key) => void run({ key, payload, ends: false }, context)
  }
}

export const powertoolsInMemory = (): Contested => powertools(new MapPersistence(), true)
export const powertoolsOnRedis = (client: CacheClient): Contested =>
  powertools(new CachePersistenceLayer({ client }), false)

const nodeIdempotency = (storage: ConstructorParameters<typeof Idempotency>[0]): Contested => {
  const idempotency = new Idempotency(storage, { enforceIdempotency: true })
  const requestOf = (key: string) => ({
    headers: { "idempotency-key": key },
    method: "POST",
    path: `/${operation}`,
    body: payload
  })
  return {
    call: async (key) => {
      const request = requestOf(key)
      const known = await idempotency.onRequest(request)
      if (known !== undefined) return known.body
      const receipt = await chargeLater(payload)
      await idempotency.onResponse(request, { body: receipt })
      return receipt
    },
    claim: (key) => void idempotency.onRequest(requestOf(key))
  }
}

export const nodeIdempotencyInMemory = (): Contested => nodeIdempotency(new MemoryStorageAdapter())
/** Its adapter makes its own client, of the same library: package.json sees to that. */
export const nodeIdempotencyOnRedis = async (url: string) => {
  const adapter = new RedisStorageAdapter({ url })
  await adapter.connect()
  return { ...nodeIdempotency(adapter), close: () => adapter.disconnect() }
}
