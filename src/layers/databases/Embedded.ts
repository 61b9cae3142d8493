/**
 * `Databases` in this process: SQLite with Appwrite's rules, in one file (WAL, synchronous FULL) or in memory.
 *
 * It behaves as the recorded server does, but where that loses data: a unique index over documents that break it is
 * refused, and an attribute's default and bounds can be cleared. What was acknowledged survives a crash; other
 * processes may use the file at the same time.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Databases, type Execute, failure, make as makeDatabases, type Methods } from "../../Databases.ts"
import { DatabasesError, Unavailable } from "../../DatabasesError.ts"
import { isRead, type Of, type Operation, type ResultOf, type Tag } from "../../Operation.ts"
import * as Sqlite from "../vendors/Sqlite.ts"
import * as Catalog from "./embedded/Catalog.ts"
import { defineFunctions } from "./embedded/Columns.ts"
import * as Documents from "./embedded/Documents.ts"
import { Refusal } from "./embedded/Refusal.ts"
import * as Select from "./embedded/Select.ts"
import * as Structure from "./embedded/Structure.ts"

export interface Options {
  /** A path, created where it is missing, or `:memory:`. */
  readonly filename: string
  /** The database that is there from the start, and that the methods work in. Default `main`. */
  readonly databaseId?: string | undefined
  /** What people read it called. Default `sqlite:PATH` or `memory:`. */
  readonly label?: string | undefined
  /** How long to wait for another process's write, in milliseconds. Default 5000. */
  readonly busyTimeout?: number | undefined
  /** Only look: nothing is made or written, and writes are refused. Default false. */
  readonly readOnly?: boolean | undefined
}

type Handler<T extends Tag> = (engine: Structure.Engine, operation: Of<T>) => ResultOf<T>

const handlers = (label: string): { readonly [T in Tag]: Handler<T> } => ({
  DescribeTarget: ({ catalog }, { database }) => ({
    id: `embedded:${catalog.fileId()}:${catalog.database(database).$id}`,
    label: `${label} (${database})`
  }),
  CreateDatabase: Structure.createDatabase,
  GetDatabase: ({ catalog }, { database }) => catalog.database(database),
  ListDatabases: ({ catalog }) => catalog.databases(),
  UpdateDatabase: Structure.updateDatabase,
  DeleteDatabase: Structure.deleteDatabase,
  CreateCollection: Structure.createCollection,
  GetCollection: ({ catalog }, { collection, database }) => catalog.collection(database, collection),
  ListCollections: ({ catalog }, { database }) => catalog.collections(database),
  UpdateCollection: Structure.updateCollection,
  DeleteCollection: Structure.deleteCollection,
  CreateAttribute: Structure.createAttribute,
  ListAttributes: ({ catalog }, { collection, database }) => catalog.collection(database, collection).attributes,
  UpdateAttribute: Structure.updateAttribute,
  RenameAttribute: Structure.renameAttribute,
  DeleteAttribute: Structure.deleteAttribute,
  CreateIndex: Structure.createIndex,
  ListIndexes: ({ catalog }, { collection, database }) => catalog.collection(database, collection).indexes,
  DeleteIndex: Structure.deleteIndex,
  CreateDocument: Documents.createDocument,
  CreateDocuments: Documents.createDocuments,
  GetDocument: Documents.getDocument,
  ListDocuments: (engine, operation) => {
    const { collection, database } = Documents.placeOf(engine, operation)
    return Select.list(engine.sqlite, database, collection, operation.queries, operation.total)
  },
  UpdateDocument: Documents.updateDocument,
  DeleteDocument: Documents.deleteDocument,
  WriteDocuments: Documents.writeDocuments,
  RestoreDocuments: Documents.restoreDocuments
})

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
    defineFunctions(sqlite)
    const found = Catalog.inspect(sqlite)
    const opened = Catalog.make(sqlite)
    if (options.readOnly === true) return opened
    sqlite.writeAhead()
    if (found === "empty") Catalog.createTables(sqlite)
    sqlite.transaction("write", () => {
      opened.refresh()
      const known = opened.databases().some(({ $id }) => $id.toLowerCase() === databaseId.toLowerCase())
      if (!known) Structure.createDatabase({ sqlite, catalog: opened, now }, start)
    })
    return opened
  })
  const table = handlers(options.label ?? (options.filename === ":memory:" ? "memory:" : `sqlite:${options.filename}`))
  const execute: Execute = <T extends Tag>(operation: Of<T>): Effect.Effect<ResultOf<T>, DatabasesError> =>
    Effect.flatMap(Clock.currentTimeMillis, (moment) =>
      attempt(operation, () => {
        const handler = table[operation._tag]
        try {
          return sqlite.transaction(isRead(operation) ? "read" : "write", () => {
            catalog.refresh()
            return handler({ sqlite, catalog, now: moment }, operation)
          })
        } catch (error) {
          if (!isRead(operation)) catalog.forget()
          throw error
        }
      })
    )
  return makeDatabases({ execute, databaseId }) satisfies Methods
})

/** SQLite in a file, or in memory. */
export const layer = (options: Options): Layer.Layer<Databases, DatabasesError> =>
  Layer.effect(
    Databases,
    Effect.map(make(options), (methods) => Databases.of(methods))
  )

/** SQLite in memory: for tests, and gone with the layer. */
export const memory: Layer.Layer<Databases, DatabasesError> = layer({ filename: ":memory:" })
