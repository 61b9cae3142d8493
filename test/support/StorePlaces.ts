/** Stores of idempotency keys where several processes reach them, with their calls changed on the way. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import { Databases, type Execute, make as makeDatabases } from "../../src/Databases.ts"
import { IdempotencyStore, make, type Operations, type Slots } from "../../src/IdempotencyStore.ts"
import * as Embedded from "../../src/layers/databases/Embedded.ts"
import * as Database from "../../src/layers/idempotency/Database.ts"
import * as RedisStore from "../../src/layers/idempotency/Redis.ts"
import * as StoreDatabases from "./StoreDatabases.ts"

/** Where documents are. */
export type Documents =
  | { readonly _tag: "sqlite"; readonly filename: string }
  | { readonly _tag: "appwrite"; readonly endpoint: string; readonly project: string; readonly key: string }
/** Where keys are; JSON, so that processes can be told. */
export type Place = Documents | { readonly _tag: "redis"; readonly url: string }

/** What becomes of calls on their way; what is left out stays. */
export interface Changes {
  readonly slots?: (slots: Slots) => Slots
  readonly operations?: (operations: Operations) => Operations
  readonly execute?: (execute: Execute) => Execute
}

const same = <A>(one: A): A => one
const secret = "a secret of the tests, as long as it must be"

const databases = (place: Documents): Layer.Layer<Databases, unknown> =>
  place._tag === "sqlite" ? Embedded.layer({ filename: place.filename }) : StoreDatabases.layer(place)

export const layer = (
  place: Place,
  { execute = same, operations = same, slots = same }: Changes = {}
): Layer.Layer<IdempotencyStore, unknown> => {
  const of = (own: Slots) => IdempotencyStore.of(operations(make(slots(own))))
  if (place._tag === "redis")
    return Layer.effect(
      IdempotencyStore,
      Effect.map(Redis.Redis, (redis) =>
        of(RedisStore.makeSlots(redis, { secret: Redacted.make(secret), prefix: "test" }, secret))
      )
    ).pipe(Layer.provide(NodeRedis.layer({ url: place.url })))
  return Layer.effect(
    IdempotencyStore,
    Effect.map(Databases, (methods) => {
      const { databaseId } = methods
      const changed = makeDatabases({ execute: execute(methods.execute), databaseId })
      return of(Database.makeSlots(changed, secret, place._tag))
    })
  ).pipe(Layer.provide(databases(place)))
}
