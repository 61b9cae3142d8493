/** Databases, tables, columns and indexes. The wire makes columns and indexes later than it answers: they are awaited. */
import * as Effect from "effect/Effect"
import { sameKey } from "../../../src/Collection.ts"
import type { Collection, Database } from "../../../src/Collection.ts"
import { InvalidArgument } from "../../../src/DatabasesError.ts"
import type { Of, ResultOf, Tag } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import * as Columns from "./Columns.ts"
import { texts } from "./Queries.ts"
import { tableOf } from "./Rows.ts"
import { type Answer, type Failed, given, refuse, type Session, WireFailure } from "./Session.ts"

type Handler<T extends Tag> = (session: Session, operation: Of<T>) => Answer<ResultOf<T>>
const handler = <T extends Tag>(run: Handler<T>): Handler<T> => run

/** Lists have 25 entries where nothing is said. */
const everything = texts([Query.limit(5000)])

const toDatabase = ({ $createdAt, $id, $updatedAt, enabled, name }: Database): Database => ({
  $id,
  $createdAt,
  $updatedAt,
  name,
  enabled
})

interface WireTable extends Omit<Collection, "attributes" | "indexes" | "documentSecurity"> {
  readonly rowSecurity: boolean
}
export const toCollection = (
  table: WireTable & { readonly columns: ReadonlyArray<unknown>; readonly indexes: ReadonlyArray<unknown> }
): Collection => ({
  $id: table.$id,
  $createdAt: table.$createdAt,
  $updatedAt: table.$updatedAt,
  $permissions: table.$permissions,
  name: table.name,
  enabled: table.enabled,
  documentSecurity: table.rowSecurity,
  attributes: table.columns.map((column) => Columns.toAttribute(column as Columns.Column)),
  indexes: table.indexes.map((index) => Columns.toIndex(index as Columns.WireIndex))
})

const getTable = (session: Session, table: Columns.Table): Answer<Collection> =>
  Effect.map(
    session.call((tables) => tables.getTable(table)),
    toCollection
  )

/** Asks until it is what it will be. */
const settled = <A extends { readonly status: string }>(read: Answer<A>): Answer<A> =>
  read.pipe(
    Effect.repeat({ until: ({ status }) => status !== "processing" && status !== "deleting" }),
    Effect.filterOrFail(
      ({ status }) => status === "available",
      ({ status }) => new WireFailure({ status: 500, type: "general_unknown", detail: `it is ${status}` })
    )
  )

const columnOf = (session: Session, table: Columns.Table, key: string): Answer<Columns.Column> =>
  Effect.map(
    session.call((tables) => tables.getColumn({ ...table, key })),
    (column) => column as unknown as Columns.Column
  )
const attributeOf = (session: Session, table: Columns.Table, key: string) =>
  Effect.map(settled(columnOf(session, table, key)), Columns.toAttribute)

const createColumn = (session: Session, operation: Of<"CreateAttribute">) =>
  Effect.andThen(
    session.call((tables) => Columns.create(tables, tableOf(operation), operation.attribute)),
    attributeOf(session, tableOf(operation), operation.attribute.key)
  )

const createIndex = Effect.fnUntraced(function* (session: Session, operation: Of<"CreateIndex">) {
  const table = tableOf(operation)
  yield* session.call((tables) => Columns.createIndex(tables, table, operation.index))
  const read = session.call((tables) => tables.getIndex({ ...table, key: operation.index.key }))
  return Columns.toIndex(yield* settled(Effect.map(read, (index) => index as unknown as Columns.WireIndex)))
})

/** What is wrong with a part of a table, as it is called where the table comes with it at once. */
const inlineType: { readonly [type: string]: string } = {
  column_value_invalid: "general_argument_invalid",
  column_default_unsupported: "general_argument_invalid",
  column_already_exists: "general_argument_invalid",
  column_limit_exceeded: "table_limit_exceeded",
  column_unknown: "column_index_invalid"
}

const createTable = Effect.fnUntraced(function* (
  session: Session,
  operation: Of<"CreateCollection">
): Effect.fn.Return<Collection, Effect.Error<Answer<unknown>>> {
  const { attributes, collection, database, documentSecurity, enabled, indexes, name, permissions } = operation
  const table = tableOf(operation)
  const common = { ...table, name, permissions: [...permissions], rowSecurity: documentSecurity, enabled }
  const columns = attributes.flatMap((attribute) => Columns.inline(attribute) ?? [])
  if (columns.length === attributes.length) {
    const whole = { ...common, columns, indexes: indexes.map(Columns.inlineIndex) }
    yield* session.call((tables) => tables.createTable(whole))
    return yield* getTable(session, table)
  }
  // Some columns can't come with their table: one by one, and the table goes again where one is refused.
  yield* session.call((tables) => tables.createTable(common))
  const parts = Effect.gen(function* () {
    for (const attribute of attributes) {
      yield* createColumn(session, { _tag: "CreateAttribute", database, collection, attribute })
    }
    for (const index of indexes) yield* createIndex(session, { _tag: "CreateIndex", database, collection, index })
  })
  const renamed = (failure: Failed): Failed =>
    failure._tag === "Refused"
      ? failure
      : new WireFailure({
          status: failure.status === 409 ? 400 : failure.status,
          type: inlineType[failure.type] ?? failure.type,
          detail: failure.detail
        })
  yield* Effect.catch(parts, (failed) =>
    Effect.andThen(
      session.call((tables) => tables.deleteTable(table)),
      Effect.fail(renamed(failed))
    )
  )
  return yield* getTable(session, table)
})

export const handlers = {
  CreateDatabase: handler<"CreateDatabase">((session, { database, enabled, name }) =>
    Effect.map(
      session.call((tables) => tables.create({ databaseId: database, name, enabled })),
      toDatabase
    )
  ),
  GetDatabase: handler<"GetDatabase">((session, { database }) =>
    Effect.map(
      session.call((tables) => tables.get({ databaseId: database })),
      toDatabase
    )
  ),
  ListDatabases: handler<"ListDatabases">((session) =>
    Effect.map(
      session.call((tables) => tables.list({ queries: everything })),
      ({ databases }) => databases.map(toDatabase)
    )
  ),
  UpdateDatabase: handler<"UpdateDatabase">(
    Effect.fnUntraced(function* (session, { database, enabled, name }) {
      // What is left out gets a default of the server.
      const current = yield* session.call((tables) => tables.get({ databaseId: database }))
      const changes = { name: name ?? current.name, enabled: enabled ?? current.enabled }
      return toDatabase(yield* session.call((tables) => tables.update({ databaseId: database, ...changes })))
    })
  ),
  DeleteDatabase: handler<"DeleteDatabase">((session, { database }) =>
    Effect.asVoid(session.call((tables) => tables.delete({ databaseId: database })))
  ),

  CreateCollection: handler<"CreateCollection">(createTable),
  GetCollection: handler<"GetCollection">((session, operation) => getTable(session, tableOf(operation))),
  ListCollections: handler<"ListCollections">((session, { database }) =>
    Effect.map(
      session.call((tables) => tables.listTables({ databaseId: database, queries: everything })),
      ({ tables }) => tables.map(toCollection)
    )
  ),
  UpdateCollection: handler<"UpdateCollection">(
    Effect.fnUntraced(function* (session, operation) {
      const table = tableOf(operation)
      const current = yield* getTable(session, table)
      const changes = {
        name: operation.name ?? current.name,
        rowSecurity: operation.documentSecurity ?? current.documentSecurity,
        enabled: operation.enabled ?? current.enabled,
        ...given({ permissions: operation.permissions === undefined ? undefined : [...operation.permissions] })
      }
      return toCollection(yield* session.call((tables) => tables.updateTable({ ...table, ...changes })))
    })
  ),
  DeleteCollection: handler<"DeleteCollection">((session, operation) =>
    Effect.asVoid(session.call((tables) => tables.deleteTable(tableOf(operation))))
  ),

  CreateAttribute: handler<"CreateAttribute">(createColumn),
  ListAttributes: handler<"ListAttributes">((session, operation) =>
    Effect.map(
      session.call((tables) => tables.listColumns({ ...tableOf(operation), queries: everything })),
      ({ columns }) => columns.map((column) => Columns.toAttribute(column as unknown as Columns.Column))
    )
  ),
  UpdateAttribute: handler<"UpdateAttribute">(
    Effect.fnUntraced(function* (session, operation) {
      const table = tableOf(operation)
      const { attribute } = operation
      const current = yield* attributeOf(session, table, attribute.key)
      // The server takes the call of another type and changes half.
      if (current.kind !== attribute.kind || current.array !== attribute.array) {
        const type = "general_argument_invalid"
        return yield* refuse(
          new InvalidArgument({ type, argument: attribute.key, detail: "kind and array stay as they are" })
        )
      }
      yield* session.call((tables) => Columns.update(tables, table, attribute))
      return yield* attributeOf(session, table, attribute.key)
    })
  ),
  RenameAttribute: handler<"RenameAttribute">(
    Effect.fnUntraced(function* (session, operation) {
      const table = tableOf(operation)
      const current = yield* attributeOf(session, table, operation.key)
      yield* session.call((tables) => Columns.update(tables, table, current, operation.newKey))
      return yield* attributeOf(session, table, operation.newKey)
    })
  ),
  DeleteAttribute: handler<"DeleteAttribute">(
    Effect.fnUntraced(function* (session, operation) {
      const table = tableOf(operation)
      yield* session.call((tables) => tables.deleteColumn({ ...table, key: operation.key }))
      const gone = getTable(session, table).pipe(
        Effect.map(({ attributes }) => !attributes.some(({ key }) => sameKey(key, operation.key)))
      )
      yield* Effect.repeat(gone, { until: (isGone) => isGone })
    })
  ),

  CreateIndex: handler<"CreateIndex">(createIndex),
  ListIndexes: handler<"ListIndexes">((session, operation) =>
    Effect.map(
      session.call((tables) => tables.listIndexes({ ...tableOf(operation), queries: everything })),
      ({ indexes }) => indexes.map((index) => Columns.toIndex(index as unknown as Columns.WireIndex))
    )
  ),
  DeleteIndex: handler<"DeleteIndex">((session, operation) =>
    Effect.asVoid(session.call((tables) => tables.deleteIndex({ ...tableOf(operation), key: operation.key })))
  )
}
