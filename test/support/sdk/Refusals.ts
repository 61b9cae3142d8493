/** What the wire refuses, as our reasons: by the `type` of the error, and where that says too little by looking. */
import * as Effect from "effect/Effect"
import type { Resource } from "../../../src/DatabasesError.ts"
import * as Reason from "../../../src/DatabasesError.ts"
import type { Operation } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import type { Column, WireIndex } from "./Columns.ts"
import { texts } from "./Queries.ts"
import type { Failed, Session, WireFailure } from "./Session.ts"

const resources: { readonly [type: string]: Resource } = {
  database: "database",
  table: "collection",
  collection: "collection",
  column: "attribute",
  attribute: "attribute",
  column_index: "index",
  index: "index",
  row: "document",
  document: "document",
  transaction: "transaction"
}

/** What an operation speaks of: its document, attribute or index, its collection, its transaction or database. */
const subject = (operation: Operation, resource: Resource): string => {
  const id = {
    database: "database" in operation ? operation.database : undefined,
    collection: "collection" in operation ? operation.collection : undefined,
    attribute:
      "attribute" in operation
        ? typeof operation.attribute === "string"
          ? operation.attribute
          : operation.attribute.key
        : "key" in operation
          ? operation.key
          : undefined,
    index: "index" in operation ? operation.index.key : "key" in operation ? operation.key : undefined,
    document: "id" in operation ? operation.id : "document" in operation ? operation.document.$id : undefined,
    transaction: "transaction" in operation ? operation.transaction : undefined
  }[resource]
  return id ?? ""
}

/** The id or key that a message names in quotes; some name none, or a raw `%s`. */
const quoted = (detail: string): string | undefined => {
  const [, id] = /'([^'%]+)'/.exec(detail) ?? []
  return id
}

type Given = { readonly [key: string]: unknown }
const sameId = (left: string, right: string) => left.toLowerCase() === right.toLowerCase()

/** Documents that an operation would create, under their ids. */
const created = (operation: Operation): ReadonlyArray<string> => {
  if (operation._tag === "CreateDocument") return [operation.document.$id]
  return operation._tag === "CreateDocuments" ? operation.documents.map(({ $id }) => $id) : []
}
/** Values that it would write, by document. */
const written = (operation: Operation): ReadonlyArray<readonly [id: string, values: Given]> => {
  if (operation._tag === "UpdateDocument") return [[operation.id, operation.changes]]
  if ("document" in operation) return [[operation.document.$id, operation.document]]
  return "documents" in operation ? operation.documents.map((one) => [one.$id, one]) : []
}

export const make = ({ asKey }: Session) => {
  const rows = (databaseId: string, tableId: string, ...queries: ReadonlyArray<Query.Query>) =>
    Effect.map(
      asKey((tables) => tables.listRows({ databaseId, tableId, queries: texts(queries) })),
      (found) => found.rows as ReadonlyArray<{ readonly $id: string } & Given>
    )

  const table = (databaseId: string, tableId: string) =>
    Effect.map(
      asKey((tables) => tables.getTable({ databaseId, tableId })),
      (found) => ({
        indexes: found.indexes as ReadonlyArray<unknown> as ReadonlyArray<WireIndex>,
        columns: found.columns as ReadonlyArray<unknown> as ReadonlyArray<Column>
      })
    )

  /** The filter that finds what is the same as this value under a unique index. */
  const same = (key: string, value: unknown, length: number): Query.Filter =>
    length > 0 && typeof value === "string"
      ? Query.startsWith(key, Array.from(value).slice(0, length).join(""))
      : Query.equal(key, value as Query.Comparable)

  /** The unique index under which another document has the values of this one: the wire does not name it. */
  const takenIndex = Effect.fnUntraced(function* (databaseId: string, tableId: string, id: string, given: Given) {
    const { columns: known, indexes } = yield* table(databaseId, tableId)
    const bigints = new Set(known.filter((one) => one.type === "bigint").map((one) => one.key))
    const uniques = indexes.filter(({ type }) => type === "unique")
    const [stored] = yield* rows(databaseId, tableId, Query.equal("$id", id))
    const values: Given = { ...stored, ...given, $id: id }
    for (const { columns, key, lengths = [] } of uniques) {
      if (columns.some((column) => values[column] === null || values[column] === undefined)) continue
      const filters = columns.map((column, position) => {
        // A text of digits may be written to a bigint, but not asked for.
        const value = bigints.has(column) ? BigInt(values[column] as string) : values[column]
        return same(column, value, lengths[position] ?? 0)
      })
      const found = yield* rows(databaseId, tableId, ...filters)
      if (found.some(({ $id }) => !sameId($id, id))) return key
    }
    return undefined
  })

  /** `row_already_exists` is said of an id that is taken and of a value that is. */
  const taken = Effect.fnUntraced(function* (operation: Operation, type: string) {
    const { collection = "", database = "" } = operation as { readonly collection?: string; readonly database?: string }
    const ids = created(operation)
    const documents = written(operation)
    const all = ids.length > 0 ? ids : documents.length > 1 ? documents.map(([id]) => id) : []
    const doubled = all.find((id, position) => all.some((other, at) => at < position && sameId(other, id)))
    if (doubled !== undefined) return new Reason.AlreadyExists({ type, resource: "document", id: doubled })
    if (ids.length > 0) {
      const known = yield* rows(database, collection, Query.equal("$id", ids), Query.limit(ids.length))
      const id = ids.find((one) => known.some(({ $id }) => sameId($id, one)))
      if (id !== undefined) return new Reason.AlreadyExists({ type, resource: "document", id })
    }
    for (const [id, values] of documents) {
      const index = yield* takenIndex(database, collection, id, values)
      if (index !== undefined) return new Reason.UniqueConflict({ type, index, id })
    }
    // Two of one batch have the same values.
    const { indexes } = yield* table(database, collection)
    const index = indexes.find((one) => one.type === "unique")?.key ?? ""
    return new Reason.UniqueConflict({ type, index, id: documents[0]?.[0] ?? "" })
  })

  /** An addition to a document that is not there is answered as one to an attribute that is not. */
  const missing = Effect.fnUntraced(function* (operation: Operation, { detail, type }: WireFailure, kind: Resource) {
    const counts = operation._tag === "IncrementAttribute" || operation._tag === "DecrementAttribute"
    if (!counts || kind !== "attribute") {
      return new Reason.NotFound({ type, resource: kind, id: quoted(detail) ?? subject(operation, kind) })
    }
    const known = yield* rows(operation.database, operation.collection, Query.equal("$id", operation.id))
    const resource = known.length === 0 ? "document" : "attribute"
    return new Reason.NotFound({ type, resource, id: subject(operation, resource) })
  })

  const queryTypes = new Set(["general_query_invalid", "general_cursor_not_found", "database_query_order_null"])
  const unauthorized = new Set(["user_unauthorized", "general_unauthorized_scope", "user_jwt_invalid"])

  const translate = Effect.fnUntraced(function* (
    operation: Operation,
    failure: WireFailure
  ): Effect.fn.Return<Reason.Reason, WireFailure> {
    const { cause, detail, status, type } = failure
    const [, subjectOf = "", what] = /^(.+)_(not_found|already_exists)$/.exec(type) ?? []
    const resource = resources[subjectOf]
    if (what === "not_found" && resource !== undefined) return yield* missing(operation, failure, resource)
    if (what === "already_exists" && resource !== undefined) {
      if (resource === "document") return yield* taken(operation, type)
      return new Reason.AlreadyExists({ type, resource, id: subject(operation, resource) })
    }
    if (type === "row_update_conflict" || type === "transaction_conflict") return new Reason.Conflict({ type, detail })
    if (unauthorized.has(type)) return new Reason.Unauthorized({ type, detail })
    if (queryTypes.has(type)) return new Reason.InvalidQuery({ type, detail })
    if (/^(row|document)_invalid_structure$/.test(type)) {
      const [, attribute = ""] = /"([^"]+)"/.exec(detail) ?? []
      return new Reason.InvalidDocument({ type, id: subject(operation, "document"), attribute, detail })
    }
    if (type.endsWith("_limit_exceeded")) return new Reason.LimitExceeded({ type, detail })
    if (type === "transaction_expired") return new Reason.InvalidArgument({ type, argument: "transaction", detail })
    if (status >= 400 && status < 500) return new Reason.InvalidArgument({ type, argument: "", detail })
    return new Reason.Unavailable({ type, detail, ...(cause === undefined ? {} : { cause }) })
  })

  return {
    takenIndex,
    /** The reason of a failure; a look-up that fails itself says what it met. */
    reasonOf: (operation: Operation, failure: Failed): Effect.Effect<Reason.Reason> =>
      failure._tag === "Refused"
        ? Effect.succeed(failure.reason)
        : Effect.catch(translate(operation, failure), ({ detail, type }) =>
            Effect.succeed(new Reason.Unavailable({ type, detail }))
          )
  }
}
