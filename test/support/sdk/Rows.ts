/** Rows of the wire and documents of ours, and the operations on them. */
import * as Effect from "effect/Effect"
import type { TablesDB } from "node-appwrite"
import { InvalidArgument, InvalidDocument } from "../../../src/DatabasesError.ts"
import type { Document } from "../../../src/Document.ts"
import { normalizeInteger } from "../../../src/internal/ExactJson.ts"
import type { Of, ResultOf, Tag } from "../../../src/Operation.ts"
import type * as Query from "../../../src/Query.ts"
import type { Column, Table } from "./Columns.ts"
import { texts } from "./Queries.ts"
import { type Answer, given, refuse, type Session } from "./Session.ts"

type Values = { readonly [key: string]: unknown }

export const tableOf = (operation: { readonly database: string; readonly collection: string }): Table => ({
  databaseId: operation.database,
  tableId: operation.collection
})

/** What JSON in UTF-8 has no form for: it would arrive as something else. */
const unsendable = (value: unknown): boolean =>
  Array.isArray(value)
    ? value.some(unsendable)
    : (typeof value === "number" && !Number.isFinite(value)) || (typeof value === "string" && !value.isWellFormed())

/** Refuses values that can't be sent as they are. */
export const checkSendable = (id: string, values: Values, type = "row_invalid_structure"): Answer<void> => {
  const found = Object.entries(values).find(([, value]) => unsendable(value))
  if (found === undefined) return Effect.void
  return refuse(new InvalidDocument({ type, id, attribute: found[0], detail: "it has no form in JSON" }))
}

const has = (value: unknown, test: (one: unknown) => boolean): boolean =>
  Array.isArray(value) ? value.some(test) : test(value)
const map = (value: unknown, change: (one: unknown) => unknown): unknown =>
  Array.isArray(value) ? value.map(change) : change(value)

export const columnsOf = ({ asKey }: Session, table: Table): Answer<ReadonlyArray<Column>> =>
  Effect.map(
    asKey((tables) => tables.getTable(table)),
    ({ columns }) => columns as ReadonlyArray<unknown> as ReadonlyArray<Column>
  )

/** Rows as documents. `whole`: each attribute has a value, also where the wire leaves it out. */
export const toDocuments = Effect.fnUntraced(function* (
  session: Session,
  table: Table,
  rows: ReadonlyArray<object>,
  options?: { readonly whole?: boolean }
): Effect.fn.Return<ReadonlyArray<Document>, Effect.Error<Answer<unknown>>> {
  const documents = rows.map((row) => {
    const { $databaseId: _database, $tableId: _table, ...rest } = row as Values
    return rest
  })
  // Whole numbers beyond 2^53 arrive as bigints, those of floats too.
  const long = documents.some((one) => Object.values(one).some((value) => has(value, (v) => typeof v === "bigint")))
  // A row that is new in a transaction shows only what was sent.
  const partial = options?.whole === true && documents.some(({ $sequence }) => $sequence === "")
  if (!long && !partial) return documents as ReadonlyArray<unknown> as ReadonlyArray<Document>
  const columns = yield* columnsOf(session, table)
  const blank = Object.fromEntries(columns.map(({ array, key }) => [key, array ? [] : null]))
  const floats = new Set(columns.filter(({ type }) => type === "double").map(({ key }) => key))
  const exact = ([key, value]: readonly [string, unknown]) => [
    key,
    map(value, (one) => (typeof one !== "bigint" ? one : floats.has(key) ? Number(one) : normalizeInteger(one)))
  ]
  return documents.map((one) => ({
    ...(partial && one["$sequence"] === "" ? { ...blank, $createdAt: "", $updatedAt: "", $permissions: [] } : {}),
    ...Object.fromEntries(Object.entries(one).map(exact))
  })) as ReadonlyArray<unknown> as ReadonlyArray<Document>
})

const toDocument = (session: Session, table: Table, row: object, options?: { readonly whole?: boolean }) =>
  Effect.map(toDocuments(session, table, [row], options), ([document]) => document!)

/** What goes as data, and what goes as permissions. */
const split = ({ $permissions, ...data }: Values & { readonly $permissions?: ReadonlyArray<string> | undefined }) => ({
  data,
  ...($permissions === undefined ? {} : { permissions: [...$permissions] })
})
/** Without an empty `data` where permissions are all that changes. */
const changing = (changes: Values) => {
  const { data, permissions } = split(changes)
  return permissions === undefined ? { data } : Object.keys(data).length === 0 ? { permissions } : { data, permissions }
}

/** The SDK sends `total=false` for false, and then the server counts; 0 leaves it out. */
const noTotal = 0 as unknown as boolean

const inside = (transaction: string | undefined) => given({ transactionId: transaction })

export const list = (
  session: Session,
  table: Table,
  queries: ReadonlyArray<Query.Query>
): Answer<ReadonlyArray<Document>> =>
  Effect.flatMap(
    session.call((tables) => tables.listRows({ ...table, queries: texts(queries), total: noTotal })),
    ({ rows }) => toDocuments(session, table, rows)
  )

/** Where there is no date, the server takes the header for absent. */
const guard = (since: string | undefined): Answer<Readonly<Record<string, string>>> => {
  if (since === undefined) return Effect.succeed({})
  if (since !== "") return Effect.succeed({ "x-appwrite-timestamp": since })
  const type = "general_argument_invalid"
  return refuse(new InvalidArgument({ type, argument: "ifUnmodifiedSince", detail: "it is no date" }))
}

type Handler<T extends Tag> = (session: Session, operation: Of<T>) => Answer<ResultOf<T>>

const count = Effect.fnUntraced(function* (
  session: Session,
  operation: Of<"IncrementAttribute"> | Of<"DecrementAttribute">
): Effect.fn.Return<Document, Effect.Error<Answer<unknown>>> {
  const { attribute, by, id } = operation
  const table = tableOf(operation)
  if (unsendable(by)) {
    const type = "general_argument_invalid"
    return yield* refuse(new InvalidArgument({ type, argument: "by", detail: "it is no number" }))
  }
  // Its types know no bigints; it sends them all the same.
  const common = { ...table, rowId: id, column: attribute, value: by as number }
  const row = yield* session.call((tables: TablesDB) =>
    operation._tag === "IncrementAttribute"
      ? tables.incrementRowColumn({ ...common, ...(operation.max === null ? {} : { max: operation.max as number }) })
      : tables.decrementRowColumn({ ...common, ...(operation.min === null ? {} : { min: operation.min as number }) })
  )
  const answered = yield* toDocument(session, table, row)
  // The answer shows the date before; the one that is stored is to be read, where the caller may.
  const stored = yield* Effect.option(session.call((tables) => tables.getRow({ ...table, rowId: id })))
  return stored._tag === "None" ? answered : { ...answered, $updatedAt: stored.value.$updatedAt }
})

const handler = <T extends Tag>(run: Handler<T>): Handler<T> => run

export const handlers = {
  CreateDocument: handler<"CreateDocument">(
    Effect.fnUntraced(function* (session, operation) {
      const { $id, ...values } = operation.document
      yield* checkSendable($id, values)
      const table = tableOf(operation)
      const row = yield* session.call((tables) => tables.createRow({ ...table, rowId: $id, ...split(values) }))
      return yield* toDocument(session, table, row)
    })
  ),
  CreateDocuments: handler<"CreateDocuments">(
    Effect.fnUntraced(function* (session, operation) {
      for (const document of operation.documents) yield* checkSendable(document.$id, document)
      const table = tableOf(operation)
      const { rows } = yield* session.call((tables) => tables.createRows({ ...table, rows: [...operation.documents] }))
      return yield* toDocuments(session, table, rows)
    })
  ),
  GetDocument: handler<"GetDocument">(
    Effect.fnUntraced(function* (session, operation) {
      const table = tableOf(operation)
      const row = yield* session.call((tables) =>
        tables.getRow({
          ...table,
          rowId: operation.id,
          queries: texts(operation.queries),
          ...inside(operation.transaction)
        })
      )
      return yield* toDocument(session, table, row, { whole: operation.queries.length === 0 })
    })
  ),
  ListDocuments: handler<"ListDocuments">(
    Effect.fnUntraced(function* (session, operation) {
      const table = tableOf(operation)
      const { rows, total } = yield* session.call((tables) =>
        tables.listRows({
          ...table,
          queries: texts(operation.queries),
          total: operation.total || noTotal,
          ...inside(operation.transaction)
        })
      )
      const whole = !operation.queries.some(({ _tag }) => _tag === "Select")
      return { total, documents: yield* toDocuments(session, table, rows, { whole }) }
    })
  ),
  UpdateDocument: handler<"UpdateDocument">(
    Effect.fnUntraced(function* (session, operation) {
      yield* checkSendable(operation.id, operation.changes)
      const headers = yield* guard(operation.ifUnmodifiedSince)
      const table = tableOf(operation)
      const row = yield* session.call(
        (tables) => tables.updateRow({ ...table, rowId: operation.id, ...changing(operation.changes) }),
        headers
      )
      return yield* toDocument(session, table, row)
    })
  ),
  UpsertDocument: handler<"UpsertDocument">(
    Effect.fnUntraced(function* (session, operation) {
      const { $id, ...values } = operation.document
      yield* checkSendable($id, values)
      const table = tableOf(operation)
      const row = yield* session.call((tables) => tables.upsertRow({ ...table, rowId: $id, ...changing(values) }))
      return yield* toDocument(session, table, row)
    })
  ),
  DeleteDocument: handler<"DeleteDocument">(
    Effect.fnUntraced(function* (session, operation) {
      const headers = yield* guard(operation.ifUnmodifiedSince)
      yield* session.call((tables) => tables.deleteRow({ ...tableOf(operation), rowId: operation.id }), headers)
    })
  ),
  IncrementAttribute: handler<"IncrementAttribute">(count),
  DecrementAttribute: handler<"DecrementAttribute">(count),
  UpdateDocuments: handler<"UpdateDocuments">(
    Effect.fnUntraced(function* (session, operation) {
      yield* checkSendable("", operation.changes)
      const table = tableOf(operation)
      const { rows, total } = yield* session.call((tables) =>
        tables.updateRows({ ...table, data: operation.changes, queries: texts(operation.queries) })
      )
      return { total, documents: yield* toDocuments(session, table, rows) }
    })
  ),
  DeleteDocuments: handler<"DeleteDocuments">(
    Effect.fnUntraced(function* (session, operation) {
      // The server would take that for all of them.
      if (operation.queries.length === 0) {
        const type = "general_argument_invalid"
        return yield* refuse(new InvalidArgument({ type, argument: "queries", detail: "without one all would go" }))
      }
      const table = tableOf(operation)
      const { rows, total } = yield* session.call((tables) =>
        tables.deleteRows({ ...table, queries: texts(operation.queries) })
      )
      return { total, documents: yield* toDocuments(session, table, rows) }
    })
  ),
  UpsertDocuments: handler<"UpsertDocuments">(
    Effect.fnUntraced(function* (session, operation) {
      for (const document of operation.documents) yield* checkSendable(document.$id, document)
      const table = tableOf(operation)
      const { rows } = yield* session.call((tables) => tables.upsertRows({ ...table, rows: [...operation.documents] }))
      return yield* toDocuments(session, table, rows)
    })
  )
}
