/**
 * `Databases` in this process: SQLite with Appwrite's rules, in one file (WAL, synchronous FULL) or in memory.
 *
 * It behaves as the recorded server does, but where that loses data: a unique index over documents that break it is
 * refused, and an attribute's default and bounds can be cleared. What was acknowledged survives a crash; other
 * processes may use the file at the same time.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Caller, key } from "../../Caller.ts"
import { Databases, type Execute, failure, make as makeDatabases } from "../../Databases.ts"
import { DatabasesError, Unavailable } from "../../DatabasesError.ts"
import { isRead, type Of, type Operation, type ResultOf, type Tag } from "../../Operation.ts"
import { JsonLists } from "../vendors/JsonLists.ts"
import * as Sqlite from "../vendors/Sqlite.ts"
import * as Access from "./embedded/Access.ts"
import * as Batches from "./embedded/Batches.ts"
import * as Catalog from "./embedded/Catalog.ts"
import * as Columns from "./embedded/Columns.ts"
import * as Conditions from "./embedded/Conditions.ts"
import * as Documents from "./embedded/Documents.ts"
import type { Engine } from "./embedded/Engine.ts"
import * as Fulltext from "./embedded/Fulltext.ts"
import * as Indexes from "./embedded/Indexes.ts"
import * as JsonRows from "./embedded/JsonRows.ts"
import { Refusal } from "./embedded/Refusal.ts"
import * as Rows from "./embedded/Rows.ts"
import * as Select from "./embedded/Select.ts"
import * as Structure from "./embedded/Structure.ts"
import * as Transactions from "./embedded/Transactions.ts"

export interface Options {
  /** A path, created where it is missing, or `:memory:`. */
  readonly filename: string
  /** The database that is there from the start, and that the methods work in. Default `main`. */
  readonly databaseId?: string | undefined
  /** What people read it called. Default `sqlite:PATH` or `memory:`. */
  readonly label?: string | undefined
  /** How long to wait for another process's write, in milliseconds. Default 5000. */
  readonly busyTimeout?: number | undefined
  /** Make no database: a server begins without one. Default false. */
  readonly bare?: boolean | undefined
  /** Only look: nothing is made or written, and writes are refused. Default false. */
  readonly readOnly?: boolean | undefined
}

type Handler<T extends Tag, A = ResultOf<T>> = (engine: Engine, operation: Of<T>) => A

/** Schema and databases answer keys alone. */
const forKeys =
  <T extends Tag>(handler: Handler<T>): Handler<T> =>
  (engine, operation) => {
    Access.checkKey(engine.caller)
    return handler(engine, operation)
  }

const listPlace = (engine: Engine, operation: Of<"ListDocuments">): Select.Place => ({
  ...Rows.placeOf(engine, operation),
  sqlite: engine.sqlite
})

/** A list, as its transaction would leave it; deletions by query do not change the count before the commit. */
const listDocuments: Handler<"ListDocuments"> = (engine, operation) => {
  const place = listPlace(engine, operation)
  const run = () => Select.list(place, operation.queries, operation.total)
  if (operation.transaction === undefined) return run()
  const list = Transactions.previewing(engine, operation.transaction, run)
  const total = operation.total ? Transactions.previewing(engine, operation.transaction, run, false).total : 0
  return { ...list, total }
}
const getDocument: Handler<"GetDocument"> = (engine, operation) =>
  operation.transaction === undefined
    ? Documents.getDocument(engine, operation)
    : Transactions.previewing(engine, operation.transaction, () => Documents.getDocument(engine, operation))

const handlers = (label: string): { readonly [T in Tag]: Handler<T> } => ({
  DescribeTarget: ({ catalog }, { database }) => ({
    id: `embedded:${catalog.fileId()}:${catalog.database(database).$id}`,
    label: `${label} (${database})`
  }),
  CreateDatabase: forKeys(Structure.createDatabase),
  GetDatabase: forKeys(({ catalog }, { database }) => catalog.database(database)),
  ListDatabases: forKeys(({ catalog }) => catalog.databases()),
  UpdateDatabase: forKeys(Structure.updateDatabase),
  DeleteDatabase: forKeys(Structure.deleteDatabase),
  CreateCollection: forKeys(Structure.createCollection),
  GetCollection: forKeys(({ catalog }, { collection, database }) => catalog.collection(database, collection)),
  ListCollections: forKeys(({ catalog }, { database }) => catalog.collections(database)),
  UpdateCollection: forKeys(Structure.updateCollection),
  DeleteCollection: forKeys(Structure.deleteCollection),
  CreateAttribute: forKeys(Structure.createAttribute),
  ListAttributes: forKeys(
    ({ catalog }, { collection, database }) => catalog.collection(database, collection).attributes
  ),
  UpdateAttribute: forKeys(Structure.updateAttribute),
  RenameAttribute: forKeys(Structure.renameAttribute),
  DeleteAttribute: forKeys(Structure.deleteAttribute),
  CreateIndex: forKeys(Indexes.create),
  ListIndexes: forKeys(({ catalog }, { collection, database }) => catalog.collection(database, collection).indexes),
  DeleteIndex: forKeys(Indexes.remove),
  CreateDocument: Documents.createDocument,
  CreateDocuments: Batches.createDocuments,
  GetDocument: getDocument,
  ListDocuments: listDocuments,
  UpdateDocument: Documents.updateDocument,
  UpsertDocument: Documents.upsertDocument,
  DeleteDocument: Documents.deleteDocument,
  IncrementAttribute: Documents.addTo,
  DecrementAttribute: Documents.addTo,
  UpdateDocuments: Batches.updateDocuments,
  DeleteDocuments: Batches.deleteDocuments,
  UpsertDocuments: Batches.upsertDocuments,
  WriteDocuments: forKeys(Batches.writeDocuments),
  RestoreDocuments: forKeys(Batches.restoreDocuments),
  CreateTransaction: Transactions.createTransaction,
  GetTransaction: Transactions.get,
  ListTransactions: Transactions.list,
  StageOperations: Transactions.stageOperations,
  ListStaged: Transactions.listStaged,
  CommitTransaction: Transactions.commitTransaction,
  RollbackTransaction: Transactions.rollbackTransaction,
  DeleteTransaction: Transactions.deleteTransaction
})

/** Reads that look into a transaction do its writes and take them back. */
const writes = (operation: Operation): boolean =>
  !isRead(operation) || ("transaction" in operation && operation.transaction !== undefined)

const remedies: { readonly [code: number]: string } = {
  5: "another process holds its write lock. Wait for it, or end it",
  8: "it can only be read. Check the permissions of the file and its folder",
  10: "reading or writing failed. Check the disk",
  11: "the file is damaged. Restore it from a backup",
  13: "the disk is full. Free some space",
  14: "the file can't be opened. Check that its folder exists and may be written",
  26: "the file is no SQLite database. Check the path"
}

const unavailable = (error: { readonly code: number; readonly message: string }) =>
  new Unavailable({
    type: "general_unknown",
    detail: `${error.message}${remedies[error.code & 0xff] === undefined ? "" : ` (${remedies[error.code & 0xff]})`}`
  })

/** What the body throws, as the typed error that it is, or as the bug that it is. */
const attempt = <A>(operation: Operation, body: () => A): Effect.Effect<A, DatabasesError> => {
  try {
    return Effect.succeed(body())
  } catch (error) {
    if (error instanceof Refusal) return Effect.fail(failure(operation, error.reason))
    const sqlite = Sqlite.errorOf(error)
    return sqlite === undefined ? Effect.die(error) : Effect.fail(failure(operation, unavailable(sqlite)))
  }
}

const connect = (options: Options, databaseId: string): Effect.Effect<Sqlite.Sqlite, DatabasesError> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(Sqlite.open(options))
    } catch (error) {
      const sqlite = Sqlite.errorOf(error)
      if (sqlite === undefined) return Effect.die(error)
      return Effect.fail(
        new DatabasesError({
          operation: "open",
          path: `${options.filename}/${databaseId}`,
          reason: unavailable(sqlite)
        })
      )
    }
  })

/** Opens the file; it is closed with the scope. */
export const make = Effect.fnUntraced(function* (options: Options) {
  const databaseId = options.databaseId ?? "main"
  const sqlite = yield* Effect.acquireRelease(connect(options, databaseId), (open) => Effect.sync(() => open.close()))
  const start: Of<"CreateDatabase"> = {
    _tag: "CreateDatabase",
    database: databaseId,
    name: databaseId,
    enabled: true
  }
  const now = yield* Clock.currentTimeMillis
  const catalog = yield* attempt(start, () => {
    for (const module of [Columns, Conditions, Fulltext, Access, JsonRows]) module.defineFunctions(sqlite)
    const found = Catalog.inspect(sqlite)
    const opened = Catalog.make(sqlite)
    if (options.readOnly === true) return opened
    sqlite.writeAhead()
    if (found === "empty") Catalog.createTables(sqlite)
    sqlite.transaction("write", () => {
      Transactions.createTables(sqlite)
      opened.refresh()
      const known = opened.databases().some(({ $id }) => $id.toLowerCase() === databaseId.toLowerCase())
      if (!known && options.bare !== true)
        Structure.createDatabase({ sqlite, catalog: opened, now, caller: key }, start)
    })
    return opened
  })
  const table = handlers(options.label ?? (options.filename === ":memory:" ? "memory:" : `sqlite:${options.filename}`))
  const run = <T extends Tag, A>(operation: Of<T>, moment: number, caller: Caller, handler: Handler<T, A>): A => {
    try {
      const outcome = sqlite.transaction(writes(operation) ? "write" : "read", () => {
        catalog.refresh()
        try {
          return { result: handler({ sqlite, catalog, now: moment, caller }, operation) }
        } catch (error) {
          if (error instanceof Refusal && error.keepsWrites) return { refusal: error }
          throw error
        }
      })
      if ("refusal" in outcome) throw outcome.refusal
      return outcome.result
    } catch (error) {
      if (!isRead(operation)) catalog.forget()
      throw error
    }
  }
  const perform = Effect.fnUntraced(function* <T extends Tag, A>(
    operation: Of<T>,
    handler: Handler<T, A>
  ): Effect.fn.Return<A, DatabasesError> {
    const moment = yield* Clock.currentTimeMillis
    const caller = yield* Caller
    return yield* attempt(operation, () => run(operation, moment, caller, handler))
  })
  const execute: Execute = (operation) => perform(operation, table[operation._tag])
  const lists = JsonLists.of({
    list: (operation, shape) =>
      perform(operation, (engine, { queries, total }) =>
        Select.listJson(listPlace(engine, operation), queries, total, shape)
      )
  })
  return Context.make(Databases, Databases.of(makeDatabases({ execute, databaseId }))).pipe(
    Context.add(JsonLists, lists)
  )
})

/** SQLite in a file, or in memory. */
export const layer = (options: Options): Layer.Layer<Databases | JsonLists, DatabasesError> =>
  Layer.effectContext(make(options))

/** SQLite in memory: for tests, and gone with the layer. */
export const memory: Layer.Layer<Databases | JsonLists, DatabasesError> = layer({ filename: ":memory:" })
