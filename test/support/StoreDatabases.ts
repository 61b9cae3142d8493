/**
 * `Databases` over node-appwrite with the calls that a store of idempotency keys makes, each one request: the round trips
 * of the store are those of the wire. For tests, until the Appwrite layer comes; all other calls are a defect.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { AppwriteException, Client, type Models, TablesDB } from "node-appwrite"
import { Databases, failure, make as makeDatabases, type Methods } from "../../src/Databases.ts"
import * as Reason from "../../src/DatabasesError.ts"
import type { Document } from "../../src/Document.ts"
import type { Of, Operation, ResultOf, Tag } from "../../src/Operation.ts"
import * as Columns from "./sdk/Columns.ts"
import { texts } from "./sdk/Queries.ts"
import { tableOf } from "./sdk/Rows.ts"
import { toCollection } from "./sdk/Schemas.ts"
import { toTransaction, toWire } from "./sdk/Transactions.ts"

export interface Options {
  readonly endpoint: string
  readonly project: string
  readonly key: string
  readonly databaseId?: string | undefined
}

const toDocument = ({ $databaseId: _database, $tableId: _table, ...rest }: Models.Row): Document => rest

const send = (tables: TablesDB, operation: Operation): Promise<unknown> => {
  switch (operation._tag) {
    case "CreateCollection": {
      const { attributes, documentSecurity, enabled, indexes, name, permissions } = operation
      return tables
        .createTable({
          ...tableOf(operation),
          name,
          permissions: [...permissions],
          rowSecurity: documentSecurity,
          enabled,
          columns: attributes.flatMap((attribute) => Columns.inline(attribute) ?? []),
          indexes: indexes.map(Columns.inlineIndex)
        })
        .then(toCollection)
    }
    case "GetCollection":
      return tables.getTable(tableOf(operation)).then(toCollection)
    case "CreateDocument": {
      const { $id, ...data } = operation.document
      const sent: Record<string, unknown> = data
      return tables.createRow({ ...tableOf(operation), rowId: $id, data: sent }).then(toDocument)
    }
    case "ListDocuments":
      return tables
        .listRows({
          ...tableOf(operation),
          queries: texts(operation.queries),
          // The SDK sends `total=false` for false, and then the server counts; 0 leaves it out.
          total: (operation.total || 0) as boolean,
          ...(operation.transaction === undefined ? {} : { transactionId: operation.transaction })
        })
        .then(({ rows, total }) => ({ total, documents: rows.map(toDocument) }))
    case "DeleteDocuments":
      // Without a query the server would empty the table.
      if (operation.queries.length === 0) throw new Error("a deletion without a query")
      return tables
        .deleteRows({ ...tableOf(operation), queries: texts(operation.queries) })
        .then(({ rows, total }) => ({ total, documents: rows.map(toDocument) }))
    case "CreateTransaction":
      return tables.createTransaction({ ttl: operation.ttl }).then(toTransaction)
    case "StageOperations":
      return tables
        .createOperations({ transactionId: operation.transaction, operations: operation.operations.map(toWire) })
        .then(toTransaction)
    case "CommitTransaction":
      return tables.updateTransaction({ transactionId: operation.transaction, commit: true }).then(toTransaction)
    case "RollbackTransaction":
      return tables.updateTransaction({ transactionId: operation.transaction, rollback: true }).then(toTransaction)
    default:
      throw new Error(`the store's Databases for tests does no ${operation._tag}`)
  }
}

const resources: { readonly [type: string]: Reason.Resource } = {
  database: "database",
  table: "collection",
  collection: "collection",
  column: "attribute",
  attribute: "attribute",
  row: "document",
  document: "document",
  transaction: "transaction"
}

/** By the `type` of the error alone: no look-up follows. */
const reasonOf = (cause: unknown): Reason.Reason => {
  if (!(cause instanceof AppwriteException))
    return new Reason.Unavailable({ type: "general_unknown", detail: String(cause), cause })
  const { code, message: detail, type } = cause
  const [, subject = "", what] = /^(.+)_(not_found|already_exists)$/.exec(type) ?? []
  const resource = resources[subject]
  if (resource !== undefined)
    return what === "not_found"
      ? new Reason.NotFound({ type, resource, id: "" })
      : new Reason.AlreadyExists({ type, resource, id: "" })
  if (type.endsWith("_conflict")) return new Reason.Conflict({ type, detail })
  if (/unauthorized|jwt_invalid/.test(type)) return new Reason.Unauthorized({ type, detail })
  if (type === "general_query_invalid") return new Reason.InvalidQuery({ type, detail })
  if (/^(row|document)_invalid_structure$/.test(type))
    return new Reason.InvalidDocument({ type, id: "", attribute: "", detail })
  if (type.endsWith("_limit_exceeded")) return new Reason.LimitExceeded({ type, detail })
  if (type === "transaction_expired" || (code >= 400 && code < 500 && code !== 429))
    return new Reason.InvalidArgument({ type, argument: "", detail })
  return new Reason.Unavailable({ type, detail, cause })
}

export const make = (options: Options): Methods => {
  const tables = new TablesDB(
    new Client().setEndpoint(options.endpoint).setProject(options.project).setKey(options.key)
  )
  const execute = <T extends Tag>(operation: Of<T>): Effect.Effect<ResultOf<T>, Reason.DatabasesError> => {
    const whole = operation as Operation
    // The table above is by the same tags.
    if (whole._tag === "DescribeTarget") {
      const { endpoint, project } = options
      const target = { id: `appwrite:${endpoint}:${project}`, label: endpoint }
      return Effect.succeed(target)
    }
    return Effect.tryPromise({
      try: async () => (await send(tables, whole)) as ResultOf<T>,
      catch: (cause) => failure(whole, reasonOf(cause))
    })
  }
  return makeDatabases({ execute, databaseId: options.databaseId ?? "main" })
}

export const layer = (options: Options): Layer.Layer<Databases> =>
  Layer.sync(Databases, () => Databases.of(make(options)))
