/** The collection of keys: its shape, made on first use, by whichever process comes first. */
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Attribute from "../../../Attribute.ts"
import { attributeOf, type Collection, sameKey } from "../../../Collection.ts"
import type { Methods } from "../../../Databases.ts"
import type { DatabasesError } from "../../../DatabasesError.ts"
import { StoreShapeMismatch, StoreUnavailable } from "../../../IdempotencyError.ts"
import * as Index from "../../../Index.ts"

export const id = "idempotency-keys"

/** Longest response of a row or a part, in characters: a server takes requests of 12 MB and resets them at 20. */
export const longestData = 4 * 1024 * 1024

/** Kinds that a server makes inline with the collection, so that it is whole or not there. */
const attributes: ReadonlyArray<Attribute.Attribute> = [
  Attribute.string("idempotencyKey", { size: 64 }),
  Attribute.string("userId", { size: 64 }),
  Attribute.string("operationType", { size: 255 }),
  Attribute.string("fingerprint", { size: 64 }),
  Attribute.string("responseData", { size: longestData }),
  Attribute.datetime("createdAt"),
  Attribute.datetime("expiresAt"),
  Attribute.datetime("purgeAt"),
  Attribute.string("generation", { size: 36 }),
  Attribute.string("kind", { size: 16 }),
  Attribute.string("owner", { size: 36 }),
  Attribute.datetime("leaseExpiresAt"),
  Attribute.string("step", { size: 255 }),
  Attribute.integer("status", { bits: 32 }),
  Attribute.string("headers", { size: 65_535 }),
  Attribute.string("encoding", { size: 64 }),
  Attribute.integer("parts", { bits: 32 }),
  Attribute.string("digest", { size: 64 })
]
const indexes = [Index.key("purgeAt", ["purgeAt"])]

/** What does not fit in a collection that is there; undefined where all does. `missing`: it may be on its way. */
const misfit = (
  collection: Collection
): { readonly column: string; readonly detail: string; readonly isMissing: boolean } | undefined => {
  if (collection.$permissions.length > 0 || collection.documentSecurity)
    return { column: "$permissions", detail: "others than API keys may read it, and answers with it", isMissing: false }
  const isForeign = collection.attributes.some(({ key }) => attributes.every((one) => !sameKey(one.key, key)))
  for (const expected of attributes) {
    const found = attributeOf(collection, expected.key)
    if (found === undefined)
      return { column: expected.key, detail: "there is no such attribute", isMissing: !isForeign }
    const wrong = (detail: string) => ({ column: expected.key, detail, isMissing: false })
    if (found.kind !== expected.kind || found.array)
      return wrong(`it is ${found.array ? "a list of " : ""}${found.kind}, and must be ${expected.kind}`)
    if (found.required) return wrong("it is required, and must not be")
    if (found.kind === "string" && expected.kind === "string" && found.size < expected.size)
      return wrong(`it takes ${found.size} characters, and must take ${expected.size}`)
  }
  for (const { required, key } of collection.attributes) {
    if (required) return { column: key, detail: "it is required, and no column of ours", isMissing: false }
  }
  return undefined
}

const unavailable = (error: DatabasesError) =>
  new StoreUnavailable({ operation: "createCollection", detail: error.message, cause: error })

/** How long another process's creation may take, in milliseconds. */
const patience = 2000

/**
 * Makes the collection where it is missing, and waits until it can be used. Several processes may do so at once: who
 * is told that it is there already, has what it wanted.
 */
export const ensure = (databases: Methods): Effect.Effect<void, StoreUnavailable | StoreShapeMismatch> => {
  const mismatch = ({ column, detail }: { readonly column: string; readonly detail: string }) =>
    new StoreShapeMismatch({ collection: id, column, detail })
  const create = databases
    .createCollection(id, { name: "Idempotency keys", permissions: [], documentSecurity: false, attributes, indexes })
    .pipe(
      Effect.catchIf(
        ({ reason }) => reason._tag === "AlreadyExists",
        () => databases.getCollection(id)
      )
    )
  const found = databases.getCollection(id).pipe(
    Effect.catchIf(
      ({ reason }) => reason._tag === "NotFound" && reason.resource === "collection",
      () => create
    )
  )
  return found.pipe(
    Effect.mapError(unavailable),
    Effect.flatMap((collection) => {
      const wrong = misfit(collection)
      return wrong === undefined ? Effect.void : Effect.fail(wrong.isMissing ? ("missing" as const) : mismatch(wrong))
    }),
    Effect.retry({
      while: (error) => error === "missing",
      schedule: Schedule.spaced("50 millis").pipe(Schedule.upTo({ duration: patience }))
    }),
    Effect.catchIf(
      (error) => error === "missing",
      () =>
        Effect.flatMap(Effect.mapError(databases.getCollection(id), unavailable), (collection) =>
          Effect.fail(mismatch(misfit(collection) ?? { column: "its columns", detail: "they are still being made" }))
        )
    )
  )
}

/** Failures that a collection which is missing, or is not ready yet, makes. */
export const isNotReady = ({ reason }: DatabasesError): boolean =>
  (reason._tag === "NotFound" && reason.resource === "collection") ||
  (reason._tag === "NotFound" && reason.resource === "attribute") ||
  reason._tag === "InvalidDocument" ||
  reason._tag === "InvalidQuery"
