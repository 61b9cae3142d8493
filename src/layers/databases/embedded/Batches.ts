/** Operations on many documents: batches, changes by query, restores. Each is one SQLite transaction. */
import * as Result from "effect/Result"
import * as DatabaseHash from "../../../DatabaseHash.ts"
import * as Document from "../../../Document.ts"
import { formatDateTime } from "../../../internal/DateTimeText.ts"
import {
  batchLimit,
  type Changes,
  type NewDocument,
  type Of,
  type Restore,
  type ResultOf,
  type Write
} from "../../../Operation.ts"
import * as Access from "./Access.ts"
import { cellsOf, upper } from "./Columns.ts"
import { update, upsert } from "./Documents.ts"
import { alreadyExists, invalidArgument, invalidDocument, Refusal } from "./Refusal.ts"
import {
  create,
  dataOf,
  dateOf,
  existing,
  insert,
  permissionsOf,
  type Place,
  placeOf,
  read,
  remove,
  replace,
  type Stored
} from "./Rows.ts"
import * as Select from "./Select.ts"
import type { Engine } from "./Engine.ts"

const checkBatch = (argument: string, length: number, whenEmpty?: string): void => {
  if (length === 0 || length > batchLimit) {
    const detail = `a batch has 1 to ${batchLimit} documents, got ${length}`
    throw invalidArgument(argument, detail, length === 0 ? whenEmpty : undefined)
  }
}

export const createDocuments = (engine: Engine, operation: Of<"CreateDocuments">): ReadonlyArray<Document.Document> => {
  const place = placeOf(engine, operation)
  Access.checkKey(engine.caller)
  checkBatch("documents", operation.documents.length, "row_missing_data")
  return operation.documents.map((document) => create(place, document, "general_bad_request"))
}

export const upsertDocuments = (engine: Engine, operation: Of<"UpsertDocuments">): ReadonlyArray<Document.Document> => {
  const place = placeOf(engine, operation)
  Access.checkKey(engine.caller)
  if (operation.documents.length === 0) return []
  checkBatch("documents", operation.documents.length)
  const ids = operation.documents.map(({ $id }) => $id.toLowerCase())
  const doubled = ids.find((id, position) => ids.indexOf(id) < position)
  if (doubled !== undefined) throw alreadyExists("document", doubled)
  return operation.documents.map((document) => upsert(place, document))
}

/** Documents in the answer of a bulk operation, at most. */
const shown = 100

/** Checks the values that a bulk change gives, and only those: what the documents hold already is not asked. */
const givenValues = ({ collection }: Place, changes: Changes): Document.Data =>
  Result.getOrThrowWith(Document.validateGiven(collection, dataOf(changes)), ({ attribute, detail }) =>
    invalidDocument("each", attribute, detail)
  )

export const updateDocuments = (engine: Engine, operation: Of<"UpdateDocuments">): ResultOf<"UpdateDocuments"> => {
  const place = placeOf(engine, operation)
  Access.checkKey(engine.caller)
  const { changes } = operation
  const values = givenValues(place, changes)
  if (Object.keys(values).length === 0 && changes.$permissions === undefined && Object.keys(changes).length === 0) {
    throw invalidArgument("changes", "nothing to change: give values or permissions", "row_missing_payload")
  }
  const ids = Select.matching({ ...place, sqlite: engine.sqlite }, operation.queries)
  const now = formatDateTime(engine.now)
  const documents = ids.map((id) => {
    const current = existing(place, id)
    Access.checkChange(engine.caller, place.collection, current, "update")
    replace(place, {
      id,
      createdAt: changes.$createdAt === undefined ? current.$createdAt : dateOf(id, "$createdAt", changes.$createdAt),
      updatedAt: changes.$updatedAt === undefined ? now : dateOf(id, "$updatedAt", changes.$updatedAt),
      permissions: changes.$permissions === undefined ? current.$permissions : permissionsOf(id, changes.$permissions),
      values
    })
    return id
  })
  return { total: ids.length, documents: documents.slice(0, shown).map((id) => existing(place, id)) }
}

export const deleteDocuments = (engine: Engine, operation: Of<"DeleteDocuments">): ResultOf<"DeleteDocuments"> => {
  const place = placeOf(engine, operation)
  Access.checkKey(engine.caller)
  if (operation.queries.length === 0) {
    throw invalidArgument("queries", 'without a query all documents would go. Say so: isNotNull("$id")')
  }
  const ids = Select.matching({ ...place, sqlite: engine.sqlite }, operation.queries)
  const documents = ids.slice(0, shown).map((id) => existing(place, id))
  for (const id of ids) {
    remove(place, id)
  }
  return { total: ids.length, documents }
}

const checkUndated = (id: string, write: NewDocument | Changes): void => {
  for (const key of ["$createdAt", "$updatedAt"] as const) {
    if (write[key] !== undefined) {
      throw invalidDocument(id, key, "a batch of writes takes no dates. Set them by a single write")
    }
  }
}

const apply = (place: Place, write: Write): Document.Document | null => {
  switch (write._tag) {
    case "Create":
      checkUndated(write.document.$id, write.document)
      return create(place, write.document)
    case "Update":
      checkUndated(write.id, write.changes)
      update(place, write.id, write.changes)
      return existing(place, write.id)
    case "Delete":
      existing(place, write.id)
      remove(place, write.id)
      return null
  }
}

export const writeDocuments = (
  engine: Engine,
  operation: Of<"WriteDocuments">
): ReadonlyArray<Document.Document | null> => {
  const place = placeOf(engine, operation)
  checkBatch("writes", operation.writes.length)
  return operation.writes.map((write) => apply(place, write))
}

interface Found extends Restore {
  readonly found: Document.Document | undefined
  /** As wanted already, as expected, or as somebody else left it. */
  readonly standing: "wanted" | "expected" | "foreign"
}

const find = (place: Place, restore: Restore): Found => {
  const found = read(place, restore.id)
  const hash = found === undefined ? null : DatabaseHash.document(found)
  const wanted = restore.document === null ? null : DatabaseHash.document(restore.document)
  const standing = hash === wanted ? "wanted" : hash === restore.expected ? "expected" : "foreign"
  return { ...restore, found, standing }
}

const toStored = (place: Place, document: Document.Document): Stored => {
  const values = Document.dataOf(document)
  for (const key of Object.keys(values)) {
    if (!place.collection.attributes.some((attribute) => attribute.key === key)) {
      throw invalidDocument(document.$id, key, "the collection has no such attribute: bring the schema back first")
    }
  }
  return {
    id: document.$id,
    createdAt: document.$createdAt,
    updatedAt: document.$updatedAt,
    permissions: document.$permissions,
    values
  }
}

/** Frees the unique values of documents that are about to get others: they may be swapping them. */
const freeUniqueValues = (place: Place, ids: ReadonlyArray<string>): void => {
  const keys = new Set(
    place.collection.indexes.filter(({ kind }) => kind === "unique").flatMap((index) => index.attributes)
  )
  const freed = Object.fromEntries([...keys].filter((key) => !key.startsWith("$")).map((key) => [key, null]))
  const columns = cellsOf(place.collection, freed).map(([column]) => `${column} = null`)
  if (columns.length === 0) return
  for (const id of ids) {
    place.engine.sqlite.run(`update ${place.table} set ${columns.join(", ")} where upper("$id") = ?`, upper(id))
  }
}

/** Writes a document back; false where another document has taken its unique values since. */
const putBack = (place: Place, { document, found }: Found): boolean => {
  if (document === null) return true
  try {
    if (found === undefined) insert(place, toStored(place, document))
    else replace(place, toStored(place, document))
    return true
  } catch (error) {
    if (error instanceof Refusal && error.reason._tag === "UniqueConflict") return false
    throw error
  }
}

/** Those that unique values stand against; thrown, so that all is as it was. */
class Stuck extends Error {
  readonly documents: ReadonlyArray<Found>
  constructor(documents: ReadonlyArray<Found>) {
    super("unique values stand against it")
    this.documents = documents
  }
}

/** Does all of `due`, or nothing and answers those that are in the way of it. */
const putAllBack = (place: Place, due: ReadonlyArray<Found>): ReadonlyArray<Found> => {
  try {
    place.engine.sqlite.savepoint(() => {
      // What goes makes room for what comes; then those that change, then those that are missing.
      for (const { document, id } of due) if (document === null) remove(place, id)
      const changing = due.filter(({ document, found }) => document !== null && found !== undefined)
      freeUniqueValues(
        place,
        changing.map(({ id }) => id)
      )
      const missing = due.filter(({ found }) => found === undefined)
      const failed = [...changing, ...missing].filter((one) => !putBack(place, one))
      if (failed.length > 0) throw new Stuck(failed)
    })
    return []
  } catch (error) {
    if (error instanceof Stuck) return error.documents
    throw error
  }
}

export const restoreDocuments = (
  engine: Engine,
  operation: Of<"RestoreDocuments">
): { readonly conflicts: ReadonlyArray<string> } => {
  const place = placeOf(engine, operation)
  checkBatch("restores", operation.restores.length)
  const all = operation.restores.map((restore) => find(place, restore))
  const left = new Set(all.filter(({ standing }) => standing === "foreign"))
  let due = all.filter(({ standing }) => standing === "expected")
  // One that must keep its values may be in the way of others: so until the rest can be done together.
  for (let stuck = putAllBack(place, due); stuck.length > 0; stuck = putAllBack(place, due)) {
    for (const one of stuck) left.add(one)
    due = due.filter((one) => !left.has(one))
  }
  return { conflicts: all.flatMap((one) => (left.has(one) ? [one.id] : [])) }
}
