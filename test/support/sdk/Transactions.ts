/** Transactions, and the batch of writes that is one. */
import * as Effect from "effect/Effect"
import type { Models } from "node-appwrite"
import { InvalidArgument, InvalidDocument, Unsupported } from "../../../src/DatabasesError.ts"
import type { Document } from "../../../src/Document.ts"
import type { Of, ResultOf, Staged, Tag, Transaction } from "../../../src/Operation.ts"
import * as Query from "../../../src/Query.ts"
import { texts } from "./Queries.ts"
import { checkSendable, list, tableOf } from "./Rows.ts"
import { type Answer, refuse, type Session } from "./Session.ts"

type Handler<T extends Tag> = (session: Session, operation: Of<T>) => Answer<ResultOf<T>>
const handler = <T extends Tag>(run: Handler<T>): Handler<T> => run

export const toTransaction = (one: Models.Transaction): Transaction => ({
  $id: one.$id,
  $createdAt: one.$createdAt,
  $updatedAt: one.$updatedAt,
  status: one.status as Transaction["status"],
  operations: one.operations,
  expiresAt: one.expiresAt
})

/** Values that a staged operation sends, by document. */
const sent = (operation: Staged): ReadonlyArray<readonly [id: string, values: object]> => {
  if ("documents" in operation) return operation.documents.map((one) => [one.$id, one])
  if ("document" in operation) return [[operation.document.$id, operation.document]]
  if ("changes" in operation) return [["id" in operation ? operation.id : "", operation.changes]]
  return []
}

/** What the server would take for something else: dates are dropped, and no query is all documents. */
const check = Effect.fnUntraced(function* (operation: Staged): Effect.fn.Return<void, Effect.Error<Answer<void>>> {
  const type = "document_invalid_structure"
  for (const [id, values] of sent(operation)) {
    yield* checkSendable(id, { ...values }, type)
    const date = ["$createdAt", "$updatedAt"].find((key) => key in values)
    if (date === undefined) continue
    yield* refuse(new InvalidDocument({ type, id, attribute: date, detail: "a transaction takes no dates" }))
  }
  if (operation._tag === "DeleteDocuments" && operation.queries.length === 0) {
    const detail = "without one all would go"
    yield* refuse(new InvalidArgument({ type: "general_argument_invalid", argument: "queries", detail }))
  }
})

export const toWire = (operation: Staged): object => {
  const table = tableOf(operation)
  switch (operation._tag) {
    case "CreateDocument":
      return { ...table, action: "create", rowId: operation.document.$id, data: operation.document }
    case "CreateDocuments":
      return { ...table, action: "bulkCreate", data: operation.documents }
    case "UpdateDocument":
      return { ...table, action: "update", rowId: operation.id, data: operation.changes }
    case "UpdateDocuments":
      return {
        ...table,
        action: "bulkUpdate",
        data: { queries: texts(operation.queries), data: operation.changes }
      }
    case "UpsertDocument":
      return { ...table, action: "upsert", rowId: operation.document.$id, data: operation.document }
    case "UpsertDocuments":
      return { ...table, action: "bulkUpsert", data: operation.documents }
    case "DeleteDocument":
      return { ...table, action: "delete", rowId: operation.id }
    case "DeleteDocuments":
      return { ...table, action: "bulkDelete", data: { queries: texts(operation.queries) } }
    case "IncrementAttribute": {
      const { attribute, by, id, max } = operation
      const data = { column: attribute, value: by, ...(max === null ? {} : { max }) }
      return { ...table, action: "increment", rowId: id, data }
    }
    case "DecrementAttribute": {
      const { attribute, by, id, min } = operation
      const data = { column: attribute, value: by, ...(min === null ? {} : { min }) }
      return { ...table, action: "decrement", rowId: id, data }
    }
  }
}

const stage = Effect.fnUntraced(function* (session: Session, id: string, operations: ReadonlyArray<Staged>) {
  for (const operation of operations) yield* check(operation)
  return yield* session.call((tables) =>
    tables.createOperations({ transactionId: id, operations: operations.map(toWire) })
  )
})

const writeDocuments = Effect.fnUntraced(function* (
  session: Session,
  operation: Of<"WriteDocuments">
): Effect.fn.Return<ReadonlyArray<Document | null>, Effect.Error<Answer<unknown>>> {
  const { collection, database } = operation
  const table = tableOf(operation)
  // What is not there is refused in the words of tables, not in those of a transaction's operations.
  yield* session.call((tables) => tables.getTable(table))
  const at = { database, collection }
  const operations = operation.writes.map((write): Staged => {
    switch (write._tag) {
      case "Create":
        return { _tag: "CreateDocument", ...at, document: write.document }
      case "Update":
        return { _tag: "UpdateDocument", ...at, id: write.id, changes: write.changes }
      case "Delete":
        return { _tag: "DeleteDocument", ...at, id: write.id }
    }
  })
  const { $id } = yield* session.call((tables) => tables.createTransaction({}))
  yield* stage(session, $id, operations).pipe(
    Effect.onError(() =>
      Effect.ignore(session.call((tables) => tables.updateTransaction({ transactionId: $id, rollback: true })))
    )
  )
  yield* session.call((tables) => tables.updateTransaction({ transactionId: $id, commit: true }))
  const ids = operation.writes.flatMap((write) =>
    write._tag === "Create" ? [write.document.$id] : write._tag === "Update" ? [write.id] : []
  )
  const found = ids.length === 0 ? [] : yield* list(session, table, [Query.equal("$id", ids), Query.limit(ids.length)])
  return operation.writes.map((write) => {
    if (write._tag === "Delete") return null
    const id = write._tag === "Create" ? write.document.$id : write.id
    return found.find((one) => one.$id.toLowerCase() === id.toLowerCase()) ?? null
  })
})

const end = (session: Session, id: string, how: "commit" | "rollback") =>
  Effect.map(
    session.call((tables) => tables.updateTransaction({ transactionId: id, [how]: true })),
    toTransaction
  )

export const handlers = {
  CreateTransaction: handler<"CreateTransaction">((session, { ttl }) =>
    // It becomes null in JSON, and null is no ttl at all.
    Number.isNaN(ttl)
      ? refuse(new InvalidArgument({ type: "general_argument_invalid", argument: "ttl", detail: "it is no number" }))
      : Effect.map(
          session.call((tables) => tables.createTransaction({ ttl })),
          toTransaction
        )
  ),
  GetTransaction: handler<"GetTransaction">((session, { transaction }) =>
    Effect.map(
      session.call((tables) => tables.getTransaction({ transactionId: transaction })),
      toTransaction
    )
  ),
  ListTransactions: handler<"ListTransactions">((session) =>
    Effect.map(
      session.call((tables) => tables.listTransactions({ queries: texts([Query.limit(5000)]) })),
      ({ transactions }) => transactions.map(toTransaction)
    )
  ),
  StageOperations: handler<"StageOperations">((session, { operations, transaction }) =>
    Effect.map(stage(session, transaction, operations), toTransaction)
  ),
  ListStaged: handler<"ListStaged">(() =>
    refuse(new Unsupported({ type: "general_unknown", feature: "reading what a transaction has staged" }))
  ),
  CommitTransaction: handler<"CommitTransaction">((session, { transaction }) => end(session, transaction, "commit")),
  RollbackTransaction: handler<"RollbackTransaction">((session, { transaction }) =>
    end(session, transaction, "rollback")
  ),
  DeleteTransaction: handler<"DeleteTransaction">((session, { transaction }) =>
    Effect.asVoid(session.call((tables) => tables.deleteTransaction({ transactionId: transaction })))
  ),
  WriteDocuments: handler<"WriteDocuments">(writeDocuments)
}
