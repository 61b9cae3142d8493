/**
 * Operations on databases, as data: for each its input, its result, and whether it reads, writes or destroys.
 *
 * A layer of `Databases` implements one function over them; a wrapper (a journal, an overlay, a log) is one function
 * too. What a layer must keep of each is said here, at its row.
 */
import * as Schema from "effect/Schema"
import { Attribute, Value } from "./Attribute.ts"
import { Collection, Database } from "./Collection.ts"
import { Document } from "./Document.ts"
import { Index } from "./Index.ts"
import { Query } from "./Query.ts"

const inDatabase = { database: Schema.String }
const inCollection = { ...inDatabase, collection: Schema.String }
const system = {
  $permissions: Schema.optionalKey(Schema.Array(Schema.String)),
  $createdAt: Schema.optionalKey(Schema.String),
  $updatedAt: Schema.optionalKey(Schema.String)
}
const values = Schema.Record(Schema.String, Value)

/** A document to create: its id, values by key, and where wanted permissions and dates. */
export const NewDocument = Schema.StructWithRest(Schema.Struct({ $id: Schema.String, ...system }), [values])
export type NewDocument = typeof NewDocument.Type

/** Values to change; what is left out stays. */
export const Changes = Schema.StructWithRest(Schema.Struct(system), [values])
export type Changes = typeof Changes.Type

/** One write of an atomic batch. It carries no dates: Appwrite takes none in a transaction. */
export const Write = Schema.TaggedUnion({
  Create: { document: NewDocument },
  Update: { id: Schema.String, changes: Changes },
  Delete: { id: Schema.String }
})
export type Write = typeof Write.Type

/** One document to put back. */
export const Restore = Schema.Struct({
  id: Schema.String,
  /** The hash (`DatabaseHash.document`) of the document as it must be found; null: it must not be there. */
  expected: Schema.NullOr(Schema.String),
  /** What it shall be, with its permissions and dates; null: not there. */
  document: Schema.NullOr(Document)
})
export type Restore = typeof Restore.Type

/** Most documents in one `UpsertDocuments`, `CreateDocuments`, `WriteDocuments` or `RestoreDocuments`. */
export const batchLimit = 100
/** Most operations in one transaction; seconds that it may stay open. */
export const transactionLimits = { operations: 100, ttl: { least: 60, default: 300, greatest: 3600 } } as const

const Amount = Schema.Union([Schema.Finite, Schema.BigInt])
const Bound = Schema.NullOr(Amount)
/** Read as the transaction would leave it. */
const inside = { transaction: Schema.optionalKey(Schema.String) }
/** Only while `$updatedAt` is not later than this, an ISO 8601 date; else `Conflict`. */
const unmodified = { ifUnmodifiedSince: Schema.optionalKey(Schema.String) }

const operations = {
  /** Which database this is, so that a state kept elsewhere can be told to belong to it. */
  DescribeTarget: inDatabase,

  CreateDatabase: { ...inDatabase, name: Schema.String, enabled: Schema.Boolean },
  GetDatabase: inDatabase,
  ListDatabases: {},
  /** What is left out stays. */
  UpdateDatabase: {
    ...inDatabase,
    name: Schema.optionalKey(Schema.String),
    enabled: Schema.optionalKey(Schema.Boolean)
  },
  /** With all its collections. */
  DeleteDatabase: inDatabase,

  /** With its attributes and indexes, whole or not at all. */
  CreateCollection: {
    ...inCollection,
    name: Schema.String,
    permissions: Schema.Array(Schema.String),
    documentSecurity: Schema.Boolean,
    enabled: Schema.Boolean,
    attributes: Schema.Array(Attribute),
    indexes: Schema.Array(Index)
  },
  GetCollection: inCollection,
  /** All of them, in order of creation. */
  ListCollections: inDatabase,
  /** What is left out stays. */
  UpdateCollection: {
    ...inCollection,
    name: Schema.optionalKey(Schema.String),
    permissions: Schema.optionalKey(Schema.Array(Schema.String)),
    documentSecurity: Schema.optionalKey(Schema.Boolean),
    enabled: Schema.optionalKey(Schema.Boolean)
  },
  /** With all its documents. */
  DeleteCollection: inCollection,

  /** Settled when it answers. Documents that exist read null for it, whatever its default. */
  CreateAttribute: { ...inCollection, attribute: Attribute },
  /** All of them, in order of creation. */
  ListAttributes: inCollection,
  /** The whole definition, under its key; kind and array stay. No document is written. */
  UpdateAttribute: { ...inCollection, attribute: Attribute },
  /** Values, dates and indexes stay: no document is written. */
  RenameAttribute: { ...inCollection, key: Schema.String, newKey: Schema.String },
  /** With its values; an index on it loses it, and goes where nothing else is left or an equal one stands. */
  DeleteAttribute: { ...inCollection, key: Schema.String },

  /** Settled when it answers. A unique index over documents that break it is refused (`DuplicateValues`). */
  CreateIndex: { ...inCollection, index: Index },
  ListIndexes: inCollection,
  DeleteIndex: { ...inCollection, key: Schema.String },

  CreateDocument: { ...inCollection, document: NewDocument },
  /** Up to 100, all or none. */
  CreateDocuments: { ...inCollection, documents: Schema.Array(NewDocument) },
  /** `queries`: only `select`. */
  GetDocument: { ...inCollection, id: Schema.String, queries: Schema.Array(Query), ...inside },
  /** `total` counts what the filters match, up to 5000; 0 where it is not asked for. */
  ListDocuments: { ...inCollection, queries: Schema.Array(Query), total: Schema.Boolean, ...inside },
  /** What is left out stays. A change of nothing keeps `$updatedAt`. */
  UpdateDocument: { ...inCollection, id: Schema.String, changes: Changes, ...unmodified },
  /** Creates it, or changes the one of that id. One that another document's unique values stand against is refused. */
  UpsertDocument: { ...inCollection, document: NewDocument },
  DeleteDocument: { ...inCollection, id: Schema.String, ...unmodified },
  /** Adds `by`, which is above 0, in the store; null counts as 0. Refused where it would pass `max`. */
  IncrementAttribute: { ...inCollection, id: Schema.String, attribute: Schema.String, by: Amount, max: Bound },
  /** Takes `by` off, which is above 0, in the store; null counts as 0. Refused where it would pass `min`. */
  DecrementAttribute: { ...inCollection, id: Schema.String, attribute: Schema.String, by: Amount, min: Bound },
  /** Changes all that match, all or none; filters, order, limit and offset. Always a new `$updatedAt`. */
  UpdateDocuments: { ...inCollection, queries: Schema.Array(Query), changes: Changes },
  /** Deletes all that match, all or none. Without a query it is refused: it would empty the collection. */
  DeleteDocuments: { ...inCollection, queries: Schema.Array(Query) },
  /** Up to 100, all or none. */
  UpsertDocuments: { ...inCollection, documents: Schema.Array(NewDocument) },
  /** Up to 100 writes, all or none, without dates. */
  WriteDocuments: { ...inCollection, writes: Schema.Array(Write) },
  /**
   * Puts documents back exactly, dates too: up to 100, each whole, together or one after another. A document found
   * neither as expected nor as wanted is left alone and named. Repeatable: what is as wanted counts as done.
   */
  RestoreDocuments: { ...inCollection, restores: Schema.Array(Restore) }
} as const

/** Writes that a transaction may stage. They carry no dates. */
export const staged = [
  "CreateDocument",
  "CreateDocuments",
  "UpdateDocument",
  "UpdateDocuments",
  "UpsertDocument",
  "UpsertDocuments",
  "DeleteDocument",
  "DeleteDocuments",
  "IncrementAttribute",
  "DecrementAttribute"
] as const
const tagged = <const T extends keyof typeof operations>(tag: T) => Schema.TaggedStruct(tag, operations[tag])
export const Staged = Schema.Union([
  tagged("CreateDocument"),
  tagged("CreateDocuments"),
  tagged("UpdateDocument"),
  tagged("UpdateDocuments"),
  tagged("UpsertDocument"),
  tagged("UpsertDocuments"),
  tagged("DeleteDocument"),
  tagged("DeleteDocuments"),
  tagged("IncrementAttribute"),
  tagged("DecrementAttribute")
])
export type Staged = typeof Staged.Type

const inTransaction = { transaction: Schema.String }

export const Operation = Schema.TaggedUnion({
  ...operations,

  /** Open for `ttl` seconds, 60 to 3600. */
  CreateTransaction: { ...inTransaction, ttl: Schema.Int },
  GetTransaction: inTransaction,
  ListTransactions: {},
  /** Adds to it, up to 100 in all. Only at the commit are they checked against what others have done since. */
  StageOperations: { ...inTransaction, operations: Schema.Array(Staged) },
  /** What was staged, in order, as the transaction's reads see it. */
  ListStaged: inTransaction,
  /** All that was staged, or nothing of it and the transaction is over. */
  CommitTransaction: inTransaction,
  RollbackTransaction: inTransaction,
  DeleteTransaction: inTransaction
})
export type Operation = typeof Operation.Type
export type Tag = Operation["_tag"]
export type Of<T extends Tag> = Extract<Operation, { readonly _tag: T }>

/** Names a database for people (`label`) and for good (`id`). */
export const Target = Schema.Struct({ id: Schema.String, label: Schema.String })
export type Target = typeof Target.Type

/** A transaction. */
export const Transaction = Schema.Struct({
  $id: Schema.String,
  $createdAt: Schema.String,
  $updatedAt: Schema.String,
  status: Schema.Literals(["pending", "committed", "failed"]),
  /** How many were staged. */
  operations: Schema.Int,
  expiresAt: Schema.String
})
export type Transaction = typeof Transaction.Type

/** How many matched, and up to 100 of them as they are now, or were. */
const Bulk = Schema.Struct({ total: Schema.Int, documents: Schema.Array(Document) })

/** What each operation answers. */
export const results = {
  DescribeTarget: Target,
  CreateDatabase: Database,
  GetDatabase: Database,
  ListDatabases: Schema.Array(Database),
  UpdateDatabase: Database,
  DeleteDatabase: Schema.Void,
  CreateCollection: Collection,
  GetCollection: Collection,
  ListCollections: Schema.Array(Collection),
  UpdateCollection: Collection,
  DeleteCollection: Schema.Void,
  CreateAttribute: Attribute,
  ListAttributes: Schema.Array(Attribute),
  UpdateAttribute: Attribute,
  RenameAttribute: Attribute,
  DeleteAttribute: Schema.Void,
  CreateIndex: Index,
  ListIndexes: Schema.Array(Index),
  DeleteIndex: Schema.Void,
  CreateDocument: Document,
  CreateDocuments: Schema.Array(Document),
  GetDocument: Document,
  ListDocuments: Schema.Struct({ total: Schema.Int, documents: Schema.Array(Document) }),
  UpdateDocument: Document,
  UpsertDocument: Document,
  DeleteDocument: Schema.Void,
  IncrementAttribute: Document,
  DecrementAttribute: Document,
  UpdateDocuments: Bulk,
  DeleteDocuments: Bulk,
  UpsertDocuments: Schema.Array(Document),
  CreateTransaction: Transaction,
  GetTransaction: Transaction,
  ListTransactions: Schema.Array(Transaction),
  StageOperations: Transaction,
  ListStaged: Schema.Array(Staged),
  CommitTransaction: Transaction,
  RollbackTransaction: Transaction,
  DeleteTransaction: Schema.Void,
  /** A document for each write, null for a deletion. */
  WriteDocuments: Schema.Array(Schema.NullOr(Document)),
  /** Ids of the documents that were left alone. */
  RestoreDocuments: Schema.Struct({ conflicts: Schema.Array(Schema.String) })
} satisfies Record<Tag, Schema.Top>
export type ResultOf<T extends Tag> = (typeof results)[T]["Type"]

/** `stage` writes nothing before a commit, which a run can't take back. `destroy` loses what only a backup or the run's own record can bring back. */
export const access = {
  DescribeTarget: "read",
  CreateDatabase: "write",
  GetDatabase: "read",
  ListDatabases: "read",
  UpdateDatabase: "write",
  DeleteDatabase: "destroy",
  CreateCollection: "write",
  GetCollection: "read",
  ListCollections: "read",
  UpdateCollection: "write",
  DeleteCollection: "destroy",
  CreateAttribute: "write",
  ListAttributes: "read",
  UpdateAttribute: "write",
  RenameAttribute: "write",
  DeleteAttribute: "destroy",
  CreateIndex: "write",
  ListIndexes: "read",
  DeleteIndex: "write",
  CreateDocument: "write",
  CreateDocuments: "write",
  GetDocument: "read",
  ListDocuments: "read",
  UpdateDocument: "write",
  UpsertDocument: "write",
  DeleteDocument: "destroy",
  IncrementAttribute: "write",
  DecrementAttribute: "write",
  UpdateDocuments: "write",
  DeleteDocuments: "destroy",
  UpsertDocuments: "write",
  CreateTransaction: "stage",
  GetTransaction: "read",
  ListTransactions: "read",
  StageOperations: "stage",
  ListStaged: "read",
  CommitTransaction: "stage",
  RollbackTransaction: "stage",
  DeleteTransaction: "stage",
  WriteDocuments: "destroy",
  RestoreDocuments: "destroy"
} as const satisfies Record<Tag, "read" | "write" | "destroy" | "stage">

type TagsOf<A> = { readonly [T in Tag]: (typeof access)[T] extends A ? T : never }[Tag]
/** Operations that change nothing. */
export type Read = Of<TagsOf<"read">>
/** Operations on transactions that others may see. */
export type Stage = Of<TagsOf<"stage">>
/** Operations that change something: each has an inverse (internal/migrations/Inverse.ts). */
export type Mutation = Of<TagsOf<"write" | "destroy">>

export const isStage = (operation: Operation): operation is Stage => access[operation._tag] === "stage"
export const isRead = (operation: Operation): operation is Read => access[operation._tag] === "read"

/** Where an operation acts: `database/collection/attribute or document`. */
export const path = (operation: Operation): string => {
  const steps = [
    "database" in operation ? operation.database : "transaction" in operation ? operation.transaction : "*",
    "collection" in operation ? operation.collection : undefined
  ]
  switch (operation._tag) {
    case "CreateAttribute":
    case "UpdateAttribute":
      steps.push(operation.attribute.key)
      break
    case "RenameAttribute":
    case "DeleteAttribute":
    case "DeleteIndex":
      steps.push(operation.key)
      break
    case "CreateIndex":
      steps.push(operation.index.key)
      break
    case "CreateDocument":
    case "UpsertDocument":
      steps.push(operation.document.$id)
      break
    case "GetDocument":
    case "UpdateDocument":
    case "DeleteDocument":
    case "IncrementAttribute":
    case "DecrementAttribute":
      steps.push(operation.id)
      break
    default:
      break
  }
  return steps.filter((step) => step !== undefined).join("/")
}
