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
import { cellsOf, comparable, selection, tableOf, toDocument, upper } from "./Columns.ts"
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
const dataOf = (write: { readonly [key: string]: unknown }): Document.Data =>
  Object.fromEntries(
    Object.entries(write).filter(
      (entry): entry is [string, Value] => entry[1] !== undefined && !systemKeys.has(entry[0])
    )
  )

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

/** Which unique index (or the id) a violation was about. */
const conflictOf = (place: Place, id: string, values: Document.Data, isNew: boolean): Refusal => {
  const { collection, engine, table } = place
  if (isNew && read(place, id) !== undefined) return alreadyExists("document", id)
  for (const index of collection.indexes) {
    if (index.kind !== "unique") continue
    const cells = new Map(cellsOf(collection, values))
    const columns = index.attributes.map((key) => comparable(collection, key))
    // A value that the write leaves as it was can't be why; it is read from the row itself.
    const parameters = columns.map((column) => cells.get(column) ?? null)
    const taken = engine.sqlite.first(
      `select 1 from ${table} where ${columns.map((column) => `${column} = ?`).join(" and ")} and upper("$id") <> ?`,
      ...parameters,
      upper(id)
    )
    if (taken !== undefined) {
      return new Refusal(new UniqueConflict({ type: "row_already_exists", index: index.key, id }))
    }
  }
  return new Refusal(new UniqueConflict({ type: "row_already_exists", index: "?", id }))
}

interface Stored {
  readonly id: string
  readonly createdAt: string
  readonly updatedAt: string
  readonly permissions: ReadonlyArray<string>
  readonly values: Document.Data
}

/** Answers the new `$sequence`. */
const insert = (place: Place, stored: Stored): number => {
  const { collection, engine, table } = place
  const cells = cellsOf(collection, stored.values)
  const columns = ['"$id"', '"$createdAt"', '"$updatedAt"', '"$permissions"', ...cells.map(([column]) => column)]
  const parameters: ReadonlyArray<Parameter> = [
    stored.id,
    stored.createdAt,
    stored.updatedAt,
    JSON.stringify(stored.permissions),
    ...cells.map(([, cell]) => cell)
  ]
  try {
    return engine.sqlite.run(
      `insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`,
      ...parameters
    )
  } catch (error) {
    throw isUniqueViolation(error) ? conflictOf(place, stored.id, stored.values, true) : error
  }
}

const replace = (place: Place, stored: Stored): void => {
  const { collection, engine, table } = place
  const cells = cellsOf(collection, stored.values)
  const columns = ['"$createdAt"', '"$updatedAt"', '"$permissions"', ...cells.map(([column]) => column)]
  try {
    engine.sqlite.run(
      `update ${table} set ${columns.map((column) => `${column} = ?`).join(", ")} where upper("$id") = ?`,
      stored.createdAt,
      stored.updatedAt,
      JSON.stringify(stored.permissions),
      ...cells.map(([, cell]) => cell),
      upper(stored.id)
    )
  } catch (error) {
    throw isUniqueViolation(error) ? conflictOf(place, stored.id, stored.values, false) : error
  }
}

const create = (place: Place, document: NewDocument): Document.Document => {
  const id = document.$id
  checkId("document", id)
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
  for (const { array, key } of place.collection.attributes) values[key] = stored.values[key] ?? (array ? [] : null)
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
  const dated = changes.$createdAt !== undefined || changes.$updatedAt !== undefined
  const changed =
    dated ||
    !sameJson(permissions, current.$permissions) ||
    Object.keys(values).some((key) => !sameJson(values[key], current[key]))
  if (!changed) return
  replace(place, {
    id: current.$id,
    createdAt:
      changes.$createdAt === undefined ? current.$createdAt : dateOf(current.$id, "$createdAt", changes.$createdAt),
    updatedAt:
      changes.$updatedAt === undefined
        ? formatDateTime(place.engine.now)
        : dateOf(current.$id, "$updatedAt", changes.$updatedAt),
    permissions,
    values
  })
}

const remove = (place: Place, id: string): void => {
  const { $id } = existing(place, id)
  place.engine.sqlite.run(`delete from ${place.table} where upper("$id") = ?`, upper($id))
}

const checkBatch = (argument: string, length: number): void => {
  if (length === 0 || length > batchLimit) {
    throw invalidArgument(argument, `a batch has 1 to ${batchLimit} documents, got ${length}`)
  }
}

export const createDocument = (engine: Engine, operation: Of<"CreateDocument">): Document.Document => {
  const place = placeOf(engine, operation)
  return create(place, operation.document)
}

export const createDocuments = (engine: Engine, operation: Of<"CreateDocuments">): ReadonlyArray<Document.Document> => {
  const place = placeOf(engine, operation)
  checkBatch("documents", operation.documents.length)
  return operation.documents.map((document) => create(place, document))
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

/** True where the document is as wanted now; false where it was found neither so nor as expected. */
const restore = (place: Place, { document, expected, id }: Restore): boolean => {
  const found = read(place, id)
  const foundHash = found === undefined ? null : DatabaseHash.document(found)
  if (foundHash === (document === null ? null : DatabaseHash.document(document))) return true
  if (foundHash !== expected) return false
  if (document === null) {
    remove(place, id)
    return true
  }
  const stored = {
    id: document.$id,
    createdAt: document.$createdAt,
    updatedAt: document.$updatedAt,
    permissions: document.$permissions,
    values: Document.dataOf(document)
  }
  for (const key of Object.keys(stored.values)) {
    if (!place.collection.attributes.some((attribute) => attribute.key === key)) {
      throw invalidDocument(id, key, "the collection has no such attribute: bring the schema back first")
    }
  }
  if (found === undefined) insert(place, stored)
  else replace(place, stored)
  return true
}

export const restoreDocuments = (
  engine: Engine,
  operation: Of<"RestoreDocuments">
): { readonly conflicts: ReadonlyArray<string> } => {
  const place = placeOf(engine, operation)
  checkBatch("restores", operation.restores.length)
  return { conflicts: operation.restores.flatMap((one) => (restore(place, one) ? [] : [one.id])) }
}
