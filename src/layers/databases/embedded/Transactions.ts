/**
 * Transactions: operations staged in tables of the file, done together at the commit, if nobody else has changed since
 * what they change.
 *
 *   pending ── commit ──▶ committed
 *      └── rollback, a conflict, or a failed operation ──▶ failed: nothing of it is applied
 */
import { Conflict, InvalidArgument, LimitExceeded, NotFound, type Reason } from "../../../DatabasesError.ts"
import * as DatabaseHash from "../../../DatabaseHash.ts"
import { formatDateTime, parseDateTime } from "../../../internal/DateTimeText.ts"
import * as ExactJson from "../../../internal/ExactJson.ts"
import { type Of, type Staged, type Transaction, transactionLimits } from "../../../Operation.ts"
import type { Caller } from "../../../Caller.ts"
import type { Sqlite } from "../../vendors/Sqlite.ts"
import * as Access from "./Access.ts"
import * as Batches from "./Batches.ts"
import * as Documents from "./Documents.ts"
import { alreadyExists, checkId, invalidArgument, invalidDocument, notFound, Refusal } from "./Refusal.ts"
import { create, placeOf, read, removeIfThere, upsertRaw } from "./Rows.ts"
import * as Select from "./Select.ts"
import type { Engine } from "./Engine.ts"

export const createTables = (sqlite: Sqlite): void => {
  sqlite.run(
    "create table if not exists holdfast_transactions (id text primary key collate nocase, record text not null, owner text not null)"
  )
  sqlite.run(
    "create table if not exists holdfast_staged (position integer primary key autoincrement, transaction_id text not null collate nocase, operation text not null, seen text not null)"
  )
  sqlite.run("create index if not exists holdfast_staged_by on holdfast_staged (transaction_id)")
}

/** What a staged operation found of documents that it changes: their hashes, by id. */
type Seen = { readonly [id: string]: string }

interface StagedRow {
  readonly operation: Staged
  readonly seen: Seen
}

/** A transaction is there for whom it belongs to, and for keys. */
const ownerOf = (caller: Caller): string => (caller._tag === "Key" ? "key" : (Access.userOf(caller) ?? "guests"))

const save = ({ caller, sqlite }: Engine, record: Transaction): Transaction => {
  sqlite.run(
    "insert into holdfast_transactions values (?, ?, ?) on conflict (id) do update set record = excluded.record",
    record.$id,
    JSON.stringify(record),
    ownerOf(caller)
  )
  return record
}

const find = ({ caller, sqlite }: Engine, id: string): Transaction | undefined => {
  const row = sqlite.first(
    "select record from holdfast_transactions where id = ? and (? = 'key' or owner = ?)",
    id,
    ownerOf(caller),
    ownerOf(caller)
  )
  return row === undefined ? undefined : (JSON.parse(String(row[0])) as Transaction)
}

export const get = (engine: Engine, { transaction }: { readonly transaction: string }): Transaction => {
  const found = find(engine, transaction)
  if (found === undefined) throw notFound("transaction", transaction)
  return found
}

export const list = ({ caller, sqlite }: Engine): ReadonlyArray<Transaction> =>
  sqlite
    .all(
      "select record from holdfast_transactions where ? = 'key' or owner = ? order by rowid",
      ownerOf(caller),
      ownerOf(caller)
    )
    .map(([record]) => JSON.parse(String(record)) as Transaction)

export const createTransaction = (engine: Engine, operation: Of<"CreateTransaction">): Transaction => {
  checkId("transaction", operation.transaction)
  const { greatest, least } = transactionLimits.ttl
  if (!Number.isInteger(operation.ttl) || operation.ttl < least || operation.ttl > greatest) {
    throw invalidArgument("ttl", `must be ${least} to ${greatest} seconds, got ${operation.ttl}`)
  }
  if (find(engine, operation.transaction) !== undefined) throw alreadyExists("transaction", operation.transaction)
  const now = formatDateTime(engine.now)
  return save(engine, {
    $id: operation.transaction,
    $createdAt: now,
    $updatedAt: now,
    status: "pending",
    operations: 0,
    expiresAt: formatDateTime(engine.now + operation.ttl * 1000)
  })
}

const checkAlive = ({ now }: Engine, { $id, expiresAt }: Transaction): void => {
  if (parseDateTime(expiresAt)! >= now) return
  const detail = `the transaction ${$id} has expired at ${expiresAt}. Open another`
  throw new Refusal(new InvalidArgument({ type: "transaction_expired", argument: "transaction", detail }))
}

const stagedRows = ({ sqlite }: Engine, id: string): ReadonlyArray<StagedRow> =>
  sqlite
    .all("select operation, seen from holdfast_staged where transaction_id = ? order by position", id)
    .map(([operation, seen]) => ({
      operation: ExactJson.parse(String(operation)) as Staged,
      seen: JSON.parse(String(seen)) as Seen
    }))

export const listStaged = (engine: Engine, operation: Of<"ListStaged">): ReadonlyArray<Staged> => {
  get(engine, operation)
  return stagedRows(engine, operation.transaction).map((row) => row.operation)
}

/** Inside a transaction the recorded server says document, attribute, collection, whatever the API. */
const olderName = (type: string): string =>
  type
    .replace(/^row_/, "document_")
    .replace(/^column_/, "attribute_")
    .replace(/^table_/, "collection_")

const renamed = (reason: Reason): Reason => {
  const type = olderName(reason.type)
  switch (reason._tag) {
    case "AlreadyExists":
    case "UniqueConflict": {
      const detail = `the transaction meets what others have done: ${reason.message}`
      return new Conflict({ type: "transaction_conflict", detail })
    }
    case "NotFound":
      return new NotFound({
        type: reason.resource === "attribute" || reason.resource === "document" ? "document_not_found" : type,
        resource: reason.resource,
        id: reason.id
      })
    case "LimitExceeded":
      return new LimitExceeded({ type, detail: reason.detail })
    case "InvalidArgument":
      return new InvalidArgument({ type, argument: reason.argument, detail: reason.detail })
    case "InvalidDocument":
      return invalidDocument(reason.id, reason.attribute, reason.detail, type).reason
    default:
      return reason
  }
}

const inOlderWords = <A>(body: () => A): A => {
  try {
    return body()
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(renamed(error.reason), error.keepsWrites) : error
  }
}

const dates = ["$createdAt", "$updatedAt"] as const
const checkUndated = (operation: Staged): void => {
  const writes =
    "document" in operation
      ? [operation.document]
      : "documents" in operation
        ? operation.documents
        : "changes" in operation
          ? [operation.changes]
          : []
  for (const write of writes) {
    for (const date of dates) {
      if (write[date] !== undefined) {
        throw invalidDocument("$id" in write ? String(write["$id"]) : "each", date, "a transaction takes no dates")
      }
    }
  }
}

/** Hashes of documents outside the transaction that a staged operation is about. */
const seenBy = (engine: Engine, operation: Staged): Seen => {
  const place = placeOf(engine, operation)
  const hashes = (ids: ReadonlyArray<string>): Seen =>
    Object.fromEntries(
      ids.flatMap((id) => {
        const found = read(place, id)
        return found === undefined ? [] : [[id, DatabaseHash.document(found)]]
      })
    )
  switch (operation._tag) {
    case "UpdateDocument":
    case "DeleteDocument":
      return hashes([operation.id])
    case "UpsertDocument":
      return hashes([operation.document.$id])
    case "DeleteDocuments":
      // Refused now rather than at each look inside.
      if (operation.queries.length === 0) throw invalidArgument("queries", "name what to delete")
      Select.matching({ ...place, sqlite: engine.sqlite }, operation.queries)
      return {}
    case "UpdateDocuments":
      return hashes(Select.matching({ ...place, sqlite: engine.sqlite }, operation.queries))
    default:
      return {}
  }
}

/** Refuses an operation on what neither the database nor the transaction has. */
const checkThere = (engine: Engine, transaction: string, operation: Staged): void => {
  const place = placeOf(engine, operation)
  if (operation._tag !== "UpdateDocument" && operation._tag !== "DeleteDocument") return
  const there = previewing(engine, transaction, () => read(place, operation.id) !== undefined, false)
  if (!there) throw notFound("document", operation.id)
}

export const stageOperations = (engine: Engine, operation: Of<"StageOperations">): Transaction =>
  inOlderWords(() => {
    const record = get(engine, operation)
    if (record.status !== "pending") {
      throw invalidArgument("transaction", `${record.$id} is ${record.status}: open another`, "general_bad_request")
    }
    checkAlive(engine, record)
    if (operation.operations.length === 0) {
      throw invalidArgument("operations", "nothing to stage", "general_bad_request")
    }
    const total = record.operations + operation.operations.length
    if (total > transactionLimits.operations) {
      const detail = `a transaction has at most ${transactionLimits.operations} operations, these would make ${total}. Use batches, or several transactions`
      throw new Refusal(new LimitExceeded({ type: "transaction_limit_exceeded", detail }))
    }
    for (const one of operation.operations) {
      checkUndated(one)
      checkThere(engine, record.$id, one)
      engine.sqlite.run(
        "insert into holdfast_staged (transaction_id, operation, seen) values (?, ?, ?)",
        record.$id,
        ExactJson.stringify(one),
        JSON.stringify(seenBy(engine, one))
      )
    }
    return save(engine, { ...record, operations: total, $updatedAt: formatDateTime(engine.now) })
  })

const apply = (engine: Engine, operation: Staged): void => {
  switch (operation._tag) {
    case "CreateDocument":
      create(placeOf(engine, operation), operation.document)
      break
    case "CreateDocuments": {
      const place = placeOf(engine, operation)
      for (const document of operation.documents) create(place, document)
      break
    }
    case "UpdateDocument":
      Documents.updateDocument(engine, operation)
      break
    case "UpdateDocuments":
      Batches.updateDocuments(engine, operation)
      break
    case "UpsertDocument":
      Documents.upsertDocument(engine, operation)
      break
    case "UpsertDocuments":
      Batches.upsertDocuments(engine, operation)
      break
    case "DeleteDocument":
      Documents.deleteDocument(engine, operation)
      break
    case "DeleteDocuments":
      Batches.deleteDocuments(engine, operation)
      break
    case "IncrementAttribute":
    case "DecrementAttribute":
      Documents.addTo(engine, operation)
      break
  }
}

/** Fails where somebody else has changed a document since an operation on it was staged. */
const checkSeen = (engine: Engine, { operation, seen }: StagedRow): void => {
  const place = placeOf(engine, operation)
  for (const [id, hash] of Object.entries(seen)) {
    const found = read(place, id)
    if (found === undefined) throw notFound("document", id)
    if (DatabaseHash.document(found) !== hash) {
      const detail = `document ${id} has changed since the transaction read it`
      throw new Refusal(new Conflict({ type: "transaction_conflict", detail }))
    }
  }
}

const checkPending = (record: Transaction): void => {
  if (record.status !== "pending") {
    throw invalidArgument("transaction", `${record.$id} is ${record.status} already`, "transaction_not_ready")
  }
}

export const commitTransaction = (engine: Engine, operation: Of<"CommitTransaction">): Transaction =>
  inOlderWords(() => {
    const record = get(engine, operation)
    checkPending(record)
    checkAlive(engine, record)
    const rows = stagedRows(engine, record.$id)
    const $updatedAt = formatDateTime(engine.now)
    try {
      engine.sqlite.savepoint(() => {
        for (const row of rows) checkSeen(engine, row)
        // As recorded, a document that its own transaction changes has two dates.
        const later = { ...engine, now: engine.now + 1 }
        let creates = false
        for (const { operation: one } of rows) {
          const isCreation = one._tag === "CreateDocument" || one._tag === "CreateDocuments"
          apply(creates && !isCreation ? later : engine, one)
          creates ||= isCreation
        }
      })
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      save(engine, { ...record, status: "failed", $updatedAt })
      throw new Refusal(error.reason, true)
    }
    return save(engine, { ...record, status: "committed", $updatedAt })
  })

export const rollbackTransaction = (engine: Engine, operation: Of<"RollbackTransaction">): Transaction => {
  const record = get(engine, operation)
  checkPending(record)
  return save(engine, { ...record, status: "failed", $updatedAt: formatDateTime(engine.now) })
}

export const deleteTransaction = (engine: Engine, operation: Of<"DeleteTransaction">): void => {
  const { $id } = get(engine, operation)
  engine.sqlite.run("delete from holdfast_staged where transaction_id = ?", $id)
  engine.sqlite.run("delete from holdfast_transactions where id = ?", $id)
}

/**
 * As `body` sees the database with what is staged. As recorded: increments and changes by query do not show before the
 * commit; what would be refused at the commit shows as it was sent.
 */
export const previewing = <A>(engine: Engine, id: string, body: () => A, withBulkDeletes = true): A => {
  const record = find(engine, id)
  if (record?.status !== "pending") return body()
  const rows = stagedRows(engine, record.$id)
  return engine.sqlite.rehearsal(() => {
    for (const { operation } of rows) preview(engine, operation, withBulkDeletes)
    return body()
  })
}

const preview = (engine: Engine, operation: Staged, withBulkDeletes: boolean): void => {
  const place = placeOf(engine, operation)
  switch (operation._tag) {
    case "CreateDocument":
    case "UpsertDocument":
      upsertRaw(place, operation.document)
      break
    case "CreateDocuments":
    case "UpsertDocuments":
      for (const document of operation.documents) upsertRaw(place, document)
      break
    case "UpdateDocument":
      upsertRaw(place, { ...operation.changes, $id: operation.id })
      break
    case "DeleteDocument":
      removeIfThere(place, operation.id)
      break
    case "DeleteDocuments":
      if (withBulkDeletes) Batches.deleteDocuments(engine, operation)
      break
    default:
      break
  }
}
