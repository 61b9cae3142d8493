/**
 * Databases, their collections and documents: the one service under all others.
 *
 * A layer implements `execute`, for each operation of Operation.ts; the methods that people call are derived from it.
 * A handle works in one database, the first that its layer names; `in(id)` is the same server, another database.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Attribute } from "./Attribute.ts"
import type { Collection, Database } from "./Collection.ts"
import { DatabasesError, type Reason, Unsupported } from "./DatabasesError.ts"
import type { Document } from "./Document.ts"
import type { Index } from "./Index.ts"
import {
  type Changes,
  isRead,
  type NewDocument,
  type Of,
  Operation,
  path,
  type Restore,
  type ResultOf,
  type Staged,
  type Tag,
  type Target,
  type Transaction,
  transactionLimits,
  Write
} from "./Operation.ts"
import type { Query } from "./Query.ts"

type Answer<A> = Effect.Effect<A, DatabasesError>

/**
 * Does one operation, whole or not at all, unless its row in Operation.ts says otherwise. An interruption does not
 * cut it in two.
 */
export type Execute = <T extends Tag>(operation: Of<T>) => Answer<ResultOf<T>>

export interface CollectionOptions {
  /** Default: the id. */
  readonly name?: string | undefined
  /** Who may do what with its documents, as `read("any")`. Default nobody but API keys. */
  readonly permissions?: ReadonlyArray<string> | undefined
  /** Documents' own permissions count too. Default false. */
  readonly documentSecurity?: boolean | undefined
  /** False hides it from users and guests. Default true. */
  readonly enabled?: boolean | undefined
}
export interface NewCollection extends CollectionOptions {
  readonly attributes?: ReadonlyArray<Attribute> | undefined
  readonly indexes?: ReadonlyArray<Index> | undefined
}
export interface DatabaseOptions {
  /** Default: the id. */
  readonly name?: string | undefined
  /** False hides it from users and guests. Default true. */
  readonly enabled?: boolean | undefined
}
/** A document to create; without `$id` it gets one. */
export type DocumentInput = Omit<NewDocument, "$id"> & { readonly $id?: string }

/** Compare-and-swap. */
export interface Unmodified {
  /** Only while `$updatedAt` is not later than this, an ISO 8601 date; else `Conflict`. */
  readonly ifUnmodifiedSince?: string | undefined
}

export interface Methods {
  readonly execute: Execute
  /** The database that the methods below work in. */
  readonly databaseId: string
  /** The same server, another database. */
  readonly in: (databaseId: string) => Methods
  readonly describeTarget: Answer<Target>

  readonly createDatabase: (id: string, options?: DatabaseOptions) => Answer<Database>
  readonly getDatabase: (id: string) => Answer<Database>
  readonly listDatabases: Answer<ReadonlyArray<Database>>
  readonly updateDatabase: (id: string, changes: DatabaseOptions) => Answer<Database>
  readonly deleteDatabase: (id: string) => Answer<void>

  readonly createCollection: (id: string, options?: NewCollection) => Answer<Collection>
  readonly getCollection: (id: string) => Answer<Collection>
  readonly listCollections: Answer<ReadonlyArray<Collection>>
  /** What is left out stays. */
  readonly updateCollection: (id: string, changes: CollectionOptions) => Answer<Collection>
  readonly deleteCollection: (id: string) => Answer<void>

  readonly createAttribute: (collection: string, attribute: Attribute) => Answer<Attribute>
  readonly listAttributes: (collection: string) => Answer<ReadonlyArray<Attribute>>
  /** The whole new definition; kind and array stay as they are. */
  readonly updateAttribute: (collection: string, attribute: Attribute) => Answer<Attribute>
  readonly renameAttribute: (collection: string, key: string, newKey: string) => Answer<Attribute>
  readonly deleteAttribute: (collection: string, key: string) => Answer<void>

  readonly createIndex: (collection: string, index: Index) => Answer<Index>
  readonly listIndexes: (collection: string) => Answer<ReadonlyArray<Index>>
  readonly deleteIndex: (collection: string, key: string) => Answer<void>

  readonly createDocument: (collection: string, document: DocumentInput) => Answer<Document>
  /** Up to 100, all or none. */
  readonly createDocuments: (
    collection: string,
    documents: ReadonlyArray<DocumentInput>
  ) => Answer<ReadonlyArray<Document>>
  readonly getDocument: (
    collection: string,
    id: string,
    options?: { readonly queries?: ReadonlyArray<Query>; readonly transaction?: string }
  ) => Answer<Document>
  readonly listDocuments: (
    collection: string,
    queries?: ReadonlyArray<Query>,
    options?: {
      /** Count what the filters match, up to 5000. Default true. */
      readonly total?: boolean
      /** Read as this transaction would leave it. */
      readonly transaction?: string
    }
  ) => Answer<ResultOf<"ListDocuments">>
  /** What is left out stays. */
  readonly updateDocument: (collection: string, id: string, changes: Changes, options?: Unmodified) => Answer<Document>
  readonly deleteDocument: (collection: string, id: string, options?: Unmodified) => Answer<void>
  /** Creates it, or changes the one of that id. */
  readonly upsertDocument: (collection: string, document: NewDocument) => Answer<Document>
  /** Adds in the store, so that nobody's addition is lost. */
  readonly incrementAttribute: (
    collection: string,
    id: string,
    attribute: string,
    options?: {
      /** Above 0. Default 1. */
      readonly by?: number | bigint
      /** Refused where the sum would pass it. Default null: the kind's own. */
      readonly max?: number | bigint | null
    }
  ) => Answer<Document>
  readonly decrementAttribute: (
    collection: string,
    id: string,
    attribute: string,
    options?: {
      /** Above 0. Default 1. */
      readonly by?: number | bigint
      /** Refused where the rest would pass it. Default null: the kind's own. */
      readonly min?: number | bigint | null
    }
  ) => Answer<Document>
  /** Changes all that match, all or none. */
  readonly updateDocuments: (
    collection: string,
    queries: ReadonlyArray<Query>,
    changes: Changes
  ) => Answer<ResultOf<"UpdateDocuments">>
  /** Deletes all that match, all or none. Refused without a query. */
  readonly deleteDocuments: (collection: string, queries: ReadonlyArray<Query>) => Answer<ResultOf<"DeleteDocuments">>
  /** Up to 100, all or none. */
  readonly upsertDocuments: (
    collection: string,
    documents: ReadonlyArray<NewDocument>
  ) => Answer<ReadonlyArray<Document>>

  /** Opens a transaction; it has the id that it gets, or that is given. */
  readonly createTransaction: (options?: {
    /** Seconds, 60 to 3600. Default 300. */
    readonly ttl?: number
    readonly id?: string
  }) => Answer<Transaction>
  readonly getTransaction: (id: string) => Answer<Transaction>
  readonly listTransactions: Answer<ReadonlyArray<Transaction>>
  /** Up to 100 in all. */
  readonly stageOperations: (id: string, operations: ReadonlyArray<Staged>) => Answer<Transaction>
  /** All that was staged, or nothing of it. */
  readonly commitTransaction: (id: string) => Answer<Transaction>
  readonly rollbackTransaction: (id: string) => Answer<Transaction>
  readonly deleteTransaction: (id: string) => Answer<void>

  /** Up to 100 creations, updates and deletions, all or none, without dates. */
  readonly writeDocuments: (collection: string, writes: ReadonlyArray<Write>) => Answer<ReadonlyArray<Document | null>>
  /** Puts documents back exactly; see `RestoreDocuments`. */
  readonly restoreDocuments: (
    collection: string,
    restores: ReadonlyArray<Restore>
  ) => Answer<ResultOf<"RestoreDocuments">>
}

export class Databases extends Context.Service<Databases, Methods>()("holdfast/Databases") {}

/**
 * An id as Appwrite's `ID.unique()` makes it: 20 hexadecimal digits, the first 13 of them the time. Clock and chance
 * come as services, so a run can be repeated with the same ids.
 */
export const uniqueId: Effect.Effect<string> = Effect.gen(function* () {
  const now = yield* Clock.currentTimeMillis
  const chance = yield* Random.nextIntBetween(0, 0x1000_0000, { halfOpen: true })
  const seconds = Math.floor(now / 1000)
    .toString(16)
    .padStart(8, "0")
  const micros = ((now % 1000) * 1000).toString(16).padStart(5, "0")
  return `${seconds}${micros}${chance.toString(16).padStart(7, "0")}`
})

const withId = (document: DocumentInput): Effect.Effect<NewDocument> =>
  document.$id === undefined
    ? Effect.map(uniqueId, ($id) => ({ ...document, $id }))
    : Effect.succeed({ ...document, $id: document.$id })

/** The fields that are given, without those left undefined. */
const given = <A extends object>(fields: A): { [K in keyof A]?: Exclude<A[K], undefined> } =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof A]?: Exclude<A[K], undefined>
  }

/** The service out of its one function. `databaseId` is the database that its methods work in. */
export const make = (options: { readonly execute: Execute; readonly databaseId: string }): Methods => {
  const { execute, databaseId: database } = options
  return {
    execute,
    databaseId: database,
    in: (databaseId) => make({ execute, databaseId }),
    describeTarget: execute({ _tag: "DescribeTarget", database }),

    createDatabase: (id, settings) =>
      execute({ _tag: "CreateDatabase", database: id, name: settings?.name ?? id, enabled: settings?.enabled ?? true }),
    getDatabase: (id) => execute({ _tag: "GetDatabase", database: id }),
    listDatabases: execute({ _tag: "ListDatabases" }),
    updateDatabase: (id, changes) => execute({ _tag: "UpdateDatabase", database: id, ...given(changes) }),
    deleteDatabase: (id) => execute({ _tag: "DeleteDatabase", database: id }),

    createCollection: (collection, settings) =>
      execute({
        _tag: "CreateCollection",
        database,
        collection,
        name: settings?.name ?? collection,
        permissions: settings?.permissions ?? [],
        documentSecurity: settings?.documentSecurity ?? false,
        enabled: settings?.enabled ?? true,
        attributes: settings?.attributes ?? [],
        indexes: settings?.indexes ?? []
      }),
    getCollection: (collection) => execute({ _tag: "GetCollection", database, collection }),
    listCollections: execute({ _tag: "ListCollections", database }),
    updateCollection: (collection, changes) =>
      execute({ _tag: "UpdateCollection", database, collection, ...given(changes) }),
    deleteCollection: (collection) => execute({ _tag: "DeleteCollection", database, collection }),

    createAttribute: (collection, attribute) => execute({ _tag: "CreateAttribute", database, collection, attribute }),
    listAttributes: (collection) => execute({ _tag: "ListAttributes", database, collection }),
    updateAttribute: (collection, attribute) => execute({ _tag: "UpdateAttribute", database, collection, attribute }),
    renameAttribute: (collection, key, newKey) =>
      execute({ _tag: "RenameAttribute", database, collection, key, newKey }),
    deleteAttribute: (collection, key) => execute({ _tag: "DeleteAttribute", database, collection, key }),

    createIndex: (collection, index) => execute({ _tag: "CreateIndex", database, collection, index }),
    listIndexes: (collection) => execute({ _tag: "ListIndexes", database, collection }),
    deleteIndex: (collection, key) => execute({ _tag: "DeleteIndex", database, collection, key }),

    createDocument: (collection, document) =>
      Effect.flatMap(withId(document), (whole) =>
        execute({ _tag: "CreateDocument", database, collection, document: whole })
      ),
    createDocuments: (collection, documents) =>
      Effect.flatMap(Effect.forEach(documents, withId), (whole) =>
        execute({ _tag: "CreateDocuments", database, collection, documents: whole })
      ),
    getDocument: (collection, id, settings) =>
      execute({
        _tag: "GetDocument",
        database,
        collection,
        id,
        queries: settings?.queries ?? [],
        ...given({ transaction: settings?.transaction })
      }),
    listDocuments: (collection, queries, settings) =>
      execute({
        _tag: "ListDocuments",
        database,
        collection,
        queries: queries ?? [],
        total: settings?.total ?? true,
        ...given({ transaction: settings?.transaction })
      }),
    updateDocument: (collection, id, changes, settings) =>
      execute({ _tag: "UpdateDocument", database, collection, id, changes, ...given(settings ?? {}) }),
    deleteDocument: (collection, id, settings) =>
      execute({ _tag: "DeleteDocument", database, collection, id, ...given(settings ?? {}) }),
    upsertDocument: (collection, document) => execute({ _tag: "UpsertDocument", database, collection, document }),
    incrementAttribute: (collection, id, attribute, settings) =>
      execute({
        _tag: "IncrementAttribute",
        database,
        collection,
        id,
        attribute,
        by: settings?.by ?? 1,
        max: settings?.max ?? null
      }),
    decrementAttribute: (collection, id, attribute, settings) =>
      execute({
        _tag: "DecrementAttribute",
        database,
        collection,
        id,
        attribute,
        by: settings?.by ?? 1,
        min: settings?.min ?? null
      }),
    updateDocuments: (collection, queries, changes) =>
      execute({ _tag: "UpdateDocuments", database, collection, queries, changes }),
    deleteDocuments: (collection, queries) => execute({ _tag: "DeleteDocuments", database, collection, queries }),
    upsertDocuments: (collection, documents) => execute({ _tag: "UpsertDocuments", database, collection, documents }),

    createTransaction: (settings) =>
      Effect.flatMap(settings?.id === undefined ? uniqueId : Effect.succeed(settings.id), (transaction) =>
        execute({ _tag: "CreateTransaction", transaction, ttl: settings?.ttl ?? transactionLimits.ttl.default })
      ),
    getTransaction: (transaction) => execute({ _tag: "GetTransaction", transaction }),
    listTransactions: execute({ _tag: "ListTransactions" }),
    stageOperations: (transaction, operations) => execute({ _tag: "StageOperations", transaction, operations }),
    commitTransaction: (transaction) => execute({ _tag: "CommitTransaction", transaction }),
    rollbackTransaction: (transaction) => execute({ _tag: "RollbackTransaction", transaction }),
    deleteTransaction: (transaction) => execute({ _tag: "DeleteTransaction", transaction }),
    writeDocuments: (collection, writes) => execute({ _tag: "WriteDocuments", database, collection, writes }),
    restoreDocuments: (collection, restores) => execute({ _tag: "RestoreDocuments", database, collection, restores })
  }
}

/** The error of an operation, from its reason. */
export const failure = (operation: Operation, reason: Reason): DatabasesError =>
  new DatabasesError({ operation: operation._tag, path: path(operation), reason })

/** A handle that reads and refuses to write: for a verification, which only looks. */
export const readOnly = (databases: Methods): Methods => {
  const execute = <T extends Tag>(operation: Of<T>): Answer<ResultOf<T>> =>
    isRead(operation)
      ? databases.execute(operation)
      : Effect.fail(
          failure(
            operation,
            new Unsupported({ type: "general_access_forbidden", feature: "writing during a verification" })
          )
        )
  return make({ execute, databaseId: databases.databaseId })
}

export { Write }
