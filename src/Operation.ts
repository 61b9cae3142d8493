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

/** Most documents in one `CreateDocuments`, `WriteDocuments` or `RestoreDocuments`. */
export const batchLimit = 100

export const Operation = Schema.TaggedUnion({
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
  GetDocument: { ...inCollection, id: Schema.String },
  /** `total` counts what the filters match, up to 5000; 0 where it is not asked for. */
  ListDocuments: { ...inCollection, queries: Schema.Array(Query), total: Schema.Boolean },
  /** What is left out stays. A change of nothing keeps `$updatedAt`. */
  UpdateDocument: { ...inCollection, id: Schema.String, changes: Changes },
  DeleteDocument: { ...inCollection, id: Schema.String },
  /** Up to 100 writes, all or none, without dates. */
  WriteDocuments: { ...inCollection, writes: Schema.Array(Write) },
  /**
   * Puts documents back exactly, dates too: up to 100, each whole, together or one after another. A document found
   * neither as expected nor as wanted is left alone and named. Repeatable: what is as wanted counts as done.
   */
  RestoreDocuments: { ...inCollection, restores: Schema.Array(Restore) }
})
export type Operation = typeof Operation.Type
export type Tag = Operation["_tag"]
export type Of<T extends Tag> = Extract<Operation, { readonly _tag: T }>

/** Names a database for people (`label`) and for good (`id`). */
export const Target = Schema.Struct({ id: Schema.String, label: Schema.String })
export type Target = typeof Target.Type

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
  DeleteDocument: Schema.Void,
  /** A document for each write, null for a deletion. */
  WriteDocuments: Schema.Array(Schema.NullOr(Document)),
  /** Ids of the documents that were left alone. */
  RestoreDocuments: Schema.Struct({ conflicts: Schema.Array(Schema.String) })
} satisfies Record<Tag, Schema.Top>
export type ResultOf<T extends Tag> = (typeof results)[T]["Type"]

/** `destroy` loses what only a backup or the run's own record can bring back. */
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
  DeleteDocument: "destroy",
  WriteDocuments: "destroy",
  RestoreDocuments: "destroy"
} as const satisfies Record<Tag, "read" | "write" | "destroy">

type ReadTags = { readonly [T in Tag]: (typeof access)[T] extends "read" ? T : never }[Tag]
/** Operations that change nothing. */
export type Read = Of<ReadTags>
/** Operations that change something: each has an inverse (internal/migrations/Inverse.ts). */
export type Mutation = Of<Exclude<Tag, ReadTags>>

export const isRead = (operation: Operation): operation is Read => access[operation._tag] === "read"

/** Where an operation acts: `database/collection/attribute or document`. */
export const path = (operation: Operation): string => {
  const steps = [
    "database" in operation ? operation.database : "*",
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
      steps.push(operation.document.$id)
      break
    case "GetDocument":
    case "UpdateDocument":
    case "DeleteDocument":
      steps.push(operation.id)
      break
    default:
      break
  }
  return steps.filter((step) => step !== undefined).join("/")
}
