/** `Databases` over another, with a line of the log for each operation: DATABASE_OPERATION, with its failure. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Databases, make, type Execute } from "../../Databases.ts"
import type { Of, Operation, ResultOf, Tag } from "../../Operation.ts"
import * as RequestLogger from "../../RequestLogger.ts"

/** What an operation is called in a line. A new operation does not compile without its name. */
const names = {
  DescribeTarget: "DESCRIBE_TARGET",
  CreateDatabase: "CREATE_DATABASE",
  GetDatabase: "GET_DATABASE",
  ListDatabases: "LIST_DATABASES",
  UpdateDatabase: "UPDATE_DATABASE",
  DeleteDatabase: "DELETE_DATABASE",
  CreateCollection: "CREATE_COLLECTION",
  GetCollection: "GET_COLLECTION",
  ListCollections: "LIST_COLLECTIONS",
  UpdateCollection: "UPDATE_COLLECTION",
  DeleteCollection: "DELETE_COLLECTION",
  CreateAttribute: "CREATE_ATTRIBUTE",
  ListAttributes: "LIST_ATTRIBUTES",
  UpdateAttribute: "UPDATE_ATTRIBUTE",
  RenameAttribute: "RENAME_ATTRIBUTE",
  DeleteAttribute: "DELETE_ATTRIBUTE",
  CreateIndex: "CREATE_INDEX",
  ListIndexes: "LIST_INDEXES",
  DeleteIndex: "DELETE_INDEX",
  CreateDocument: "CREATE",
  CreateDocuments: "CREATE",
  GetDocument: "GET",
  ListDocuments: "LIST",
  UpdateDocument: "UPDATE",
  UpdateDocuments: "UPDATE",
  UpsertDocument: "UPSERT",
  UpsertDocuments: "UPSERT",
  DeleteDocument: "DELETE",
  DeleteDocuments: "DELETE",
  IncrementAttribute: "INCREMENT",
  DecrementAttribute: "DECREMENT",
  WriteDocuments: "WRITE",
  RestoreDocuments: "RESTORE",
  CreateTransaction: "CREATE_TRANSACTION",
  GetTransaction: "GET_TRANSACTION",
  ListTransactions: "LIST_TRANSACTIONS",
  StageOperations: "STAGE",
  ListStaged: "LIST_STAGED",
  CommitTransaction: "COMMIT",
  RollbackTransaction: "ROLLBACK",
  DeleteTransaction: "DELETE_TRANSACTION"
} as const satisfies Record<Tag, string>

/** Documents that an operation has read or written, by what it was asked and what it answered. */
const countOf = (operation: Operation, answer: unknown): number | null => {
  switch (operation._tag) {
    case "CreateDocument":
    case "GetDocument":
    case "UpdateDocument":
    case "UpsertDocument":
    case "DeleteDocument":
    case "IncrementAttribute":
    case "DecrementAttribute":
      return 1
    case "CreateDocuments":
    case "UpsertDocuments":
      return operation.documents.length
    case "WriteDocuments":
      return operation.writes.length
    case "RestoreDocuments":
      return operation.restores.length - (answer as ResultOf<"RestoreDocuments">).conflicts.length
    case "StageOperations":
      return operation.operations.length
    case "ListDocuments":
      return (answer as ResultOf<"ListDocuments">).documents.length
    case "UpdateDocuments":
    case "DeleteDocuments":
      return (answer as ResultOf<"UpdateDocuments">).total
    default:
      return null
  }
}

/** For operations on no collection. */
const noCollection = "*"

/** The same handle, logged; without a `RequestLogger` where it is used, the same handle. */
export const logged = (databases: Databases["Service"]): Databases["Service"] => {
  const execute: Execute = <T extends Tag>(operation: Of<T>) =>
    RequestLogger.withDatabaseOperation(databases.execute(operation), {
      operation: names[operation._tag],
      collection: "collection" in operation ? operation.collection : noCollection,
      database: "database" in operation ? operation.database : undefined,
      documentCount: (answer) => countOf(operation as Operation, answer)
    })
  return make({ execute, databaseId: databases.databaseId })
}

export const layer: Layer.Layer<Databases, never, Databases> = Layer.effect(Databases, Effect.map(Databases, logged))
