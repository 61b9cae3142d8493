/**
 * Where the server's answers to writes differ from what it stores, always; and, asked to, what it does wrong.
 * Each is a line of the recordings' behaviour.
 */
import * as Effect from "effect/Effect"
import type { Value } from "../../../../../Attribute.ts"
import * as Collation from "../../../../../Collation.ts"
import type { Collection } from "../../../../../Collection.ts"
import type { Methods } from "../../../../../Databases.ts"
import type { DatabasesError } from "../../../../../DatabasesError.ts"
import type { Document } from "../../../../../Document.ts"
import type { Changes, NewDocument, ResultOf } from "../../../../../Operation.ts"
import type { Query } from "../../../../../Query.ts"
import * as Queries from "../../../../../Query.ts"
import * as ApiFailure from "../ApiFailure.ts"
import { asServer } from "./Context.ts"
import type { Vocabulary } from "./Vocabulary.ts"

export type { Changes }
type Answer<A> = Effect.Effect<A, ApiFailure.ApiFailure | DatabasesError>

export const refuseDoubled = (vocabulary: Vocabulary, documents: ReadonlyArray<NewDocument>): void => {
  const ids = documents.map(({ $id }) => $id.toLowerCase())
  if (new Set(ids).size === ids.length) return
  const message = `${vocabulary.row} with the requested ID 'multiple' already exists. Try again with a different ID or use ID.unique() to generate a unique ID.`
  throw ApiFailure.make(409, vocabulary.type("row_already_exists"), message)
}

/** A change by query that meets a unique index breaks the server. */
export const bulkUpdate = (
  databases: Methods,
  collection: Collection,
  queries: ReadonlyArray<Query>,
  changes: Changes
): Answer<ResultOf<"UpdateDocuments">> =>
  Effect.catchReason(
    databases.updateDocuments(collection.$id, queries, changes),
    "DatabasesError",
    "UniqueConflict",
    () => Effect.fail(ApiFailure.serverError)
  )

export interface Count {
  readonly direction: "increment" | "decrement"
  readonly id: string
  readonly attribute: string
  readonly by: number | bigint
  readonly bound: number | bigint | null
}

const isEven = (value: number) => value % 2 === 0
/** The whole number that the server rounds to: half to even. */
const halfToEven = (value: number): number => {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return isEven(floor) ? floor : floor + 1
}

/** The answer shows the date before; null counts in the answer only, a fraction is shown and then rounded. */
export const count = Effect.fnUntraced(function* (
  databases: Methods,
  vocabulary: Vocabulary,
  collection: Collection,
  operation: Count,
  quirks: boolean
): Effect.fn.Return<object, ApiFailure.ApiFailure | DatabasesError> {
  const { attribute: key, bound, by, direction, id } = operation
  const attribute = collection.attributes.find((one) => one.key === key)
  const [before] = (yield* asServer(
    databases.listDocuments(collection.$id, [Queries.equal("$id", id)], { total: false })
  )).documents
  const worded = (error: DatabasesError): ApiFailure.ApiFailure | DatabasesError => {
    const { reason } = error
    const fail = (status: number, type: string, message: string) =>
      ApiFailure.make(status, vocabulary.type(type), message)
    if (reason._tag === "LimitExceeded") {
      const word = direction === "increment" ? "maximum" : "minimum"
      return fail(400, reason.type, `${vocabulary.service} "${key}" has reached the ${word} value of ${bound ?? ""}`)
    }
    if (reason._tag === "NotFound" && (reason.resource === "attribute" || reason.resource === "document")) {
      return fail(404, "column_not_found", `${vocabulary.column} with the requested key '%s' could not be found.`)
    }
    if (reason._tag !== "InvalidArgument") return error
    return fail(400, reason.type, reason.detail)
  }
  const run = (amount: number | bigint): Answer<Document> =>
    Effect.mapError(
      direction === "increment"
        ? databases.incrementAttribute(collection.$id, id, key, { by: amount, max: bound })
        : databases.decrementAttribute(collection.$id, id, key, { by: amount, min: bound }),
      worded
    )
  const whole = attribute?.kind === "integer" || attribute?.kind === "bigint"
  if (quirks && before !== undefined && attribute !== undefined && !attribute.array) {
    const current = before[key]
    const amount = direction === "increment" ? by : -by
    if (whole && typeof by === "number" && !Number.isInteger(by)) {
      const sum = Number(current ?? 0) + Number(amount)
      const stored = halfToEven(sum)
      yield* databases.updateDocuments(collection.$id, [Queries.equal("$id", id)], { [key]: stored })
      return { ...before, [key]: sum }
    }
    if (current === null && (whole || attribute.kind === "float")) {
      const after = yield* run(by)
      yield* databases.updateDocuments(collection.$id, [Queries.equal("$id", id)], { [key]: null })
      return { ...after, $updatedAt: before.$updatedAt }
    }
  }
  const after = yield* run(by)
  return { ...after, $updatedAt: before?.$updatedAt ?? after.$updatedAt }
})

/** As PHP compares loosely: "007" and "7", "1e1" and "10", "" and null are the same. */
const looselyEqual = (left: Value, right: Value): boolean => {
  if (left === right) return true
  const empty = (value: Value) => value === null || value === ""
  if (empty(left) && empty(right)) return true
  const numeric = (value: Value) =>
    typeof value === "number" ||
    (typeof value === "string" && /^\s*[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?\s*$/.test(value))
  if (numeric(left) && numeric(right)) return Number(left) === Number(right)
  return JSON.stringify(left) === JSON.stringify(right)
}

const valuesOf = (document: object): ReadonlyArray<readonly [string, Value]> =>
  Object.entries(document).filter(([key]) => !key.startsWith("$")) as ReadonlyArray<readonly [string, Value]>

/** The other row that holds the unique values of this one, if there is one. */
const victim = Effect.fnUntraced(function* (databases: Methods, collection: Collection, document: NewDocument) {
  for (const index of collection.indexes.filter(({ kind }) => kind === "unique")) {
    const filters = index.attributes.map((key) => [key, document[key]] as const)
    if (filters.some(([key, value]) => key.startsWith("$") || value === null || value === undefined)) continue
    const { documents } = yield* databases.listDocuments(
      collection.$id,
      filters.map(([key, value]) => Queries.equal(key, value as Queries.Comparable)),
      { total: false }
    )
    const other = documents.find(({ $id }) => Collation.compare($id, document.$id) !== 0)
    if (other !== undefined) return other
  }
  return undefined
})

/** An upsert as the recorded server does it: it skips what is only loosely different, and may overwrite another row. */
export const upsert = Effect.fnUntraced(function* (
  databases: Methods,
  collection: Collection,
  document: NewDocument
): Effect.fn.Return<Document, ApiFailure.ApiFailure | DatabasesError> {
  const { documents } = yield* databases.listDocuments(collection.$id, [Queries.equal("$id", document.$id)], {
    total: false
  })
  const [current] = documents
  if (current !== undefined) {
    const sent = valuesOf(document)
    const whole = collection.attributes.every(({ key }) => Object.hasOwn(document, key))
    const same =
      whole && document.$permissions === undefined && sent.every(([key, value]) => looselyEqual(value, current[key]!))
    return same
      ? { ...current, ...Object.fromEntries(sent) }
      : yield* databases.upsertDocument(collection.$id, document)
  }
  const other = yield* victim(databases, collection, document)
  if (other === undefined) return yield* databases.upsertDocument(collection.$id, document)
  const { $id: _id, ...given } = document
  const blank = Object.fromEntries(collection.attributes.map(({ key }) => [key, null]))
  yield* databases.updateDocuments(collection.$id, [Queries.equal("$id", other.$id)], { ...blank, ...given })
  const overwritten = yield* databases.getDocument(collection.$id, other.$id)
  return {
    ...overwritten,
    $id: document.$id,
    $permissions: document.$permissions ?? [],
    $createdAt: overwritten.$updatedAt,
    $sequence: ""
  }
})

export const upsertMany = (
  databases: Methods,
  collection: Collection,
  documents: ReadonlyArray<NewDocument>
): Answer<ReadonlyArray<Document>> =>
  Effect.catchReason(databases.upsertDocuments(collection.$id, documents), "DatabasesError", "UniqueConflict", () =>
    Effect.forEach(documents, (document) => upsert(databases, collection, document))
  )
