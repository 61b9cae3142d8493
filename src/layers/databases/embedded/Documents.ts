/** Operations on documents. */
import * as Result from "effect/Result"
import type { Value } from "../../../Attribute.ts"
import type { Collection } from "../../../Collection.ts"
import * as DatabaseHash from "../../../DatabaseHash.ts"
import { UniqueConflict } from "../../../DatabasesError.ts"
import * as Document from "../../../Document.ts"
import { formatDateTime, normalizeDateTime } from "../../../internal/DateTimeText.ts"
import { batchLimit, type Changes, type NewDocument, type Of, type Restore, type Write } from "../../../Operation.ts"
import * as Permission from "../../../Permission.ts"
import { isUniqueViolation, type Parameter, type Row } from "../../vendors/Sqlite.ts"
import { cellsOf, comparable, insertCells, insertStatement, selection, tableOf, toDocument, upper } from "./Columns.ts"
import { alreadyExists, checkId, invalidArgument, invalidDocument, notFound, Refusal } from "./Refusal.ts"
import type { Engine } from "./Structure.ts"

/** Where an operation on documents acts, looked up once. */
interface Place {
  readonly engine: Engine
  readonly database: string
  readonly collection: Collection
  readonly table: string
}

export const placeOf = (
  engine: Engine,
  operation: { readonly database: string; readonly collection: string }
): Place => {
  const database = engine.catalog.database(operation.database).$id
  const collection = engine.catalog.collection(database, operation.collection)
  return { engine, database, collection, table: tableOf(database, collection.$id) }
}

const permissionsOf = (id: string, permissions: ReadonlyArray<string>): ReadonlyArray<string> =>
  Result.getOrThrowWith(Permission.normalize(permissions, "document"), (detail) =>
    invalidArgument(`permissions of ${id}`, detail)
  )

const dateOf = (id: string, key: "$createdAt" | "$updatedAt", text: string): string => {
  const date = normalizeDateTime(text)
  if (date === undefined) {
    throw invalidDocument(id, key, `${JSON.stringify(text)} is no ISO 8601 date between the years 1000 and 9999`)
  }
  return date
}

const systemKeys: ReadonlySet<string> = new Set(["$id", "$permissions", "$createdAt", "$updatedAt", "$sequence"])

/** The values of attributes that a write gives; a value left undefined is not given. */
const dataOf = (write: { readonly [key: string]: unknown }): Document.Data => {
  // Without a prototype, so that a key like __proto__ is one as any other, and refused.
  const data = Object.create(null) as Record<string, Value>
  for (const key of Object.keys(write)) {
    if (write[key] !== undefined && !systemKeys.has(key)) data[key] = write[key] as Value
  }
  return data
}

const validated = (place: Place, id: string, write: object, stored?: Document.Data): Document.Data =>
  Result.getOrThrowWith(
    Document.validate(place.collection, dataOf(write as { readonly [key: string]: unknown }), stored),
    ({ attribute, detail }) => invalidDocument(id, attribute, detail)
  )

const readRow = ({ collection, engine, table }: Place, id: string): Row | undefined =>
  engine.sqlite.first(`select ${selection(collection)} from ${table} where upper("$id") = ?`, upper(id))

const read = (place: Place, id: string): Document.Document | undefined => {
  const row = readRow(place, id)
  return row === undefined ? undefined : toDocument(place.collection, row)
}

const existing = (place: Place, id: string): Document.Document => {
  const found = read(place, id)
  if (found === undefined) throw notFound("document", id)
  return found
}

interface Stored {
  readonly id: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly permissions: ReadonlyArray<string>
  readonly values: Document.Data
}

/** Which unique index (or the id) a violation was about. */
const conflictOf = (place: Place, stored: Stored, isNew: boolean): Refusal => {
  const { collection, engine, table } = place
  const { id } = stored
  const found = read(place, id)
  if (isNew && found !== undefined) return alreadyExists("document", id)
  // A value that the write leaves as it is stands in the row.
  const values = { ...(found === undefined ? {} : Document.dataOf(found)), ...stored.values }
  const cells = new Map<string, Parameter>([
    ...cellsOf(collection, values),
    [comparable(collection, "$createdAt"), stored.createdAt],
    [comparable(collection, "$updatedAt"), stored.updatedAt],
    [comparable(collection, "$id"), upper(id)]
  ])
  for (const index of collection.indexes) {
    if (index.kind !== "unique") continue
    const columns = index.attributes.map((key) => comparable(collection, key))
    const taken = engine.sqlite.first(
      `select 1 from ${table} where ${columns.map((column) => `${column} = ?`).join(" and ")} and upper("$id") <> ?`,
      ...columns.map((column) => cells.get(column) ?? null),
      upper(id)
    )
    if (taken !== undefined) {
      return new Refusal(new UniqueConflict({ type: "row_already_exists", index: index.key, id }))
    }
  }
  throw new Error(`a unique violation on ${table} that no unique index explains`)
}

/** Answers the new `$sequence`. */
const insert = (place: Place, stored: Stored): number => {
  const { collection, engine, table } = place
  const system = [stored.id, stored.createdAt, stored.updatedAt, JSON.stringify(stored.permissions)]
  try {
    return engine.sqlite.run(insertStatement(table, collection), ...insertCells(collection, system, stored.values))
  } catch (error) {
    throw isUniqueViolation(error) ? conflictOf(place, stored, true) : error
  }
}

const replace = (place: Place, stored: Stored): void => {
  const { collection, engine, table } = place
  const cells = cellsOf(collection, stored.values)
  const columns = ['"$id"', '"$createdAt"', '"$updatedAt"', '"$permissions"', ...cells.map(([column]) => column)]
  try {
    engine.sqlite.run(
      `update ${table} set ${columns.map((column) => `${column} = ?`).join(", ")} where upper("$id") = ?`,
      stored.id,
      stored.createdAt,
      stored.updatedAt,
      JSON.stringify(stored.permissions),
      ...cells.map(([, cell]) => cell),
      upper(stored.id)
    )
  } catch (error) {
    throw isUniqueViolation(error) ? conflictOf(place, stored, false) : error
  }
}

const create = (place: Place, document: NewDocument, badId?: string): Document.Document => {
  const id = document.$id
  checkId("document", id, badId)
  const now = formatDateTime(place.engine.now)
  const stored: Stored = {
    id,
    createdAt: document.$createdAt === undefined ? now : dateOf(id, "$createdAt", document.$createdAt),
    updatedAt: document.$updatedAt === undefined ? now : dateOf(id, "$updatedAt", document.$updatedAt),
    permissions: permissionsOf(id, document.$permissions ?? []),
    values: validated(place, id, document)
  }
  const sequence = insert(place, stored)
  const values: Record<string, Value> = {}
  for (const { array, key } of place.collection.attributes) {
    values[key] = (Object.hasOwn(stored.values, key) ? stored.values[key] : undefined) ?? (array ? [] : null)
  }
  return {
    $id: id,
    $sequence: String(sequence),
    $createdAt: stored.createdAt,
    $updatedAt: stored.updatedAt,
    $permissions: stored.permissions,
    ...values
  }
}

const sameJson = (left: unknown, right: unknown): boolean =>
  left === right || JSON.stringify(left) === JSON.stringify(right)

const update = (place: Place, id: string, changes: Changes): void => {
  const current = existing(place, id)
  const values = validated(place, current.$id, changes, Document.dataOf(current))
  const permissions =
    changes.$permissions === undefined ? current.$permissions : permissionsOf(current.$id, changes.$permissions)
  if (Object.keys(changes).length === 0) {
    throw invalidArgument("changes", "nothing to change: give values or permissions", "row_missing_payload")
  }
  const dated = changes.$createdAt !== undefined || changes.$updatedAt !== undefined
  // An array that is null underneath reads as empty: to set it so is no change.
  const changed = Object.entries(values).filter(([key, value]) => {
    const before = current[key]
    return !sameJson(value ?? (Array.isArray(before) ? [] : null), before)
  })
  if (!dated && changed.length === 0 && sameJson(permissions, current.$permissions)) return
  replace(place, {
    id: current.$id,
    createdAt:
      changes.$createdAt === undefined ? current.$createdAt : dateOf(current.$id, "$createdAt", changes.$createdAt),
    updatedAt:
      changes.$updatedAt === undefined
        ? formatDateTime(place.engine.now)
        : dateOf(current.$id, "$updatedAt", changes.$updatedAt),
    permissions,
    values: Object.fromEntries(changed)
  })
}

const remove = (place: Place, id: string): void => {
  const { $id } = existing(place, id)
  place.engine.sqlite.run(`delete from ${place.table} where upper("$id") = ?`, upper($id))
}

const checkBatch = (argument: string, length: number, whenEmpty?: string): void => {
  if (length === 0 || length > batchLimit) {
    const detail = `a batch has 1 to ${batchLimit} documents, got ${length}`
    throw invalidArgument(argument, detail, length === 0 ? whenEmpty : undefined)
  }
}

export const createDocument = (engine: Engine, operation: Of<"CreateDocument">): Document.Document => {
  const place = placeOf(engine, operation)
  if (Object.keys(dataOf(operation.document)).length === 0) {
    throw invalidArgument(
      "document",
      "it has no values: give one at least, or create it in a batch",
      "row_missing_data"
    )
  }
  return create(place, operation.document)
}

export const createDocuments = (engine: Engine, operation: Of<"CreateDocuments">): ReadonlyArray<Document.Document> => {
  const place = placeOf(engine, operation)
  checkBatch("documents", operation.documents.length, "row_missing_data")
  return operation.documents.map((document) => create(place, document, "general_bad_request"))
}

export const getDocument = (engine: Engine, operation: Of<"GetDocument">): Document.Document =>
  existing(placeOf(engine, operation), operation.id)

export const updateDocument = (engine: Engine, operation: Of<"UpdateDocument">): Document.Document => {
  const place = placeOf(engine, operation)
  update(place, operation.id, operation.changes)
  return existing(place, operation.id)
}

export const deleteDocument = (engine: Engine, operation: Of<"DeleteDocument">): void =>
  remove(placeOf(engine, operation), operation.id)

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

/** Writes a document back; false where another document has taken its unique values since: it stays as it was found. */
const putBack = (place: Place, { document, found }: Found): boolean => {
  if (document === null) return true
  try {
    if (found === undefined) insert(place, toStored(place, document))
    else replace(place, toStored(place, document))
    return true
  } catch (error) {
    if (!(error instanceof Refusal) || error.reason._tag !== "UniqueConflict") throw error
    if (found !== undefined) replace(place, toStored(place, found))
    return false
  }
}

export const restoreDocuments = (
  engine: Engine,
  operation: Of<"RestoreDocuments">
): { readonly conflicts: ReadonlyArray<string> } => {
  const place = placeOf(engine, operation)
  checkBatch("restores", operation.restores.length)
  const all = operation.restores.map((restore) => find(place, restore))
  const due = all.filter(({ standing }) => standing === "expected")
  // What goes makes room for what comes; then those that change, then those that are missing.
  for (const { document, id } of due) if (document === null) remove(place, id)
  const changing = due.filter(({ document, found }) => document !== null && found !== undefined)
  freeUniqueValues(
    place,
    changing.map(({ id }) => id)
  )
  const failed = [...changing, ...due.filter(({ found }) => found === undefined)].filter((one) => !putBack(place, one))
  const left = new Set([...all.filter(({ standing }) => standing === "foreign"), ...failed])
  return { conflicts: all.flatMap((one) => (left.has(one) ? [one.id] : [])) }
}
