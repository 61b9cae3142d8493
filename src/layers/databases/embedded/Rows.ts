/** Rows of documents: reading, writing, and which unique index stands against a write. */
import * as Result from "effect/Result"
import * as Attribute from "../../../Attribute.ts"
import type { Value } from "../../../Attribute.ts"
import type { Caller } from "../../../Caller.ts"
import type { Collection } from "../../../Collection.ts"
import { UniqueConflict } from "../../../DatabasesError.ts"
import * as Document from "../../../Document.ts"
import { formatDateTime, normalizeDateTime } from "../../../internal/DateTimeText.ts"
import type { NewDocument } from "../../../Operation.ts"
import * as Permission from "../../../Permission.ts"
import { isUniqueViolation, type Parameter, type Row } from "../../vendors/Sqlite.ts"
import * as Access from "./Access.ts"
import { cellsOf, comparable, insertCells, insertStatement, selection, tableOf, toDocument, upper } from "./Columns.ts"
import { alreadyExists, checkId, invalidArgument, invalidDocument, notFound, Refusal } from "./Refusal.ts"
import type { Engine } from "./Engine.ts"

/** Where an operation on documents acts, looked up once. */
export interface Place {
  readonly engine: Engine
  readonly caller: Caller
  readonly database: string
  readonly collection: Collection
  readonly table: string
}

export const placeOf = (
  engine: Engine,
  operation: { readonly database: string; readonly collection: string }
): Place => {
  const database = engine.catalog.database(operation.database)
  const collection = engine.catalog.collection(database.$id, operation.collection)
  Access.checkEnabled(engine.caller, database, collection)
  return {
    engine,
    caller: engine.caller,
    database: database.$id,
    collection,
    table: tableOf(database.$id, collection.$id)
  }
}

export const permissionsOf = (id: string, permissions: ReadonlyArray<string>): ReadonlyArray<string> =>
  Result.getOrThrowWith(Permission.normalize(permissions, "document"), (detail) =>
    invalidArgument(`permissions of ${id}`, detail)
  )

export const dateOf = (id: string, key: "$createdAt" | "$updatedAt", text: string): string => {
  const date = normalizeDateTime(text)
  if (date === undefined) {
    throw invalidDocument(id, key, `${JSON.stringify(text)} is no ISO 8601 date between the years 1000 and 9999`)
  }
  return date
}

const systemKeys: ReadonlySet<string> = new Set(["$id", "$permissions", "$createdAt", "$updatedAt", "$sequence"])

/** The values of attributes that a write gives; a value left undefined is not given. */
export const dataOf = (write: { readonly [key: string]: unknown }): Document.Data => {
  // Without a prototype, so that a key like __proto__ is one as any other, and refused.
  const data = Object.create(null) as Record<string, Value>
  for (const key of Object.keys(write)) {
    if (write[key] !== undefined && !systemKeys.has(key)) data[key] = write[key] as Value
  }
  return data
}

export const validated = (place: Place, id: string, write: object, stored?: Document.Data): Document.Data =>
  Result.getOrThrowWith(
    Document.validate(place.collection, dataOf(write as { readonly [key: string]: unknown }), stored),
    ({ attribute, detail }) => invalidDocument(id, attribute, detail)
  )

const readRow = ({ collection, engine, table }: Place, id: string): Row | undefined =>
  engine.sqlite.first(`select ${selection(collection)} from ${table} where upper("$id") = ?`, upper(id))

export const read = (place: Place, id: string): Document.Document | undefined => {
  const row = readRow(place, id)
  return row === undefined ? undefined : toDocument(place.collection, row)
}

export const existing = (place: Place, id: string): Document.Document => {
  const found = read(place, id)
  if (found === undefined) throw notFound("document", id)
  return found
}

export interface Stored {
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
    const part = (text: string, position: number) => {
      const length = index.lengths[position] ?? 0
      return length > 0 ? `substr(${text}, 1, ${length})` : text
    }
    const same = columns.map((column, position) => `${part(column, position)} = ${part("?", position)}`).join(" and ")
    const taken = engine.sqlite.first(
      `select 1 from ${table} where ${same} and upper("$id") <> ?`,
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
export const insert = (place: Place, stored: Stored): number => {
  const { collection, engine, table } = place
  const system = [stored.id, stored.createdAt, stored.updatedAt, JSON.stringify(stored.permissions)]
  try {
    return engine.sqlite.run(insertStatement(table, collection), ...insertCells(collection, system, stored.values))
  } catch (error) {
    throw isUniqueViolation(error) ? conflictOf(place, stored, true) : error
  }
}

export const replace = (place: Place, stored: Stored): void => {
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

/** A date that a key sets; from others it is not heard. */
export const givenDate = (
  { caller }: Place,
  id: string,
  write: { readonly $createdAt?: string | undefined; readonly $updatedAt?: string | undefined },
  key: "$createdAt" | "$updatedAt"
): string | undefined => {
  const date = write[key]
  return date === undefined || caller._tag === "Roles" ? undefined : dateOf(id, key, date)
}

export const create = (place: Place, document: NewDocument, badId?: string): Document.Document => {
  const id = document.$id
  checkId("document", id, badId)
  Access.checkCreate(place.caller, place.collection)
  const permissions = permissionsOf(id, document.$permissions ?? Access.ownPermissions(place.caller))
  Access.checkGrant(place.caller, permissions)
  const now = formatDateTime(place.engine.now)
  const stored: Stored = {
    id,
    createdAt: givenDate(place, id, document, "$createdAt") ?? now,
    updatedAt: givenDate(place, id, document, "$updatedAt") ?? now,
    permissions,
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

export const remove = (place: Place, id: string): void => {
  const { $id } = existing(place, id)
  place.engine.sqlite.run(`delete from ${place.table} where upper("$id") = ?`, upper($id))
}

export const removeIfThere = (place: Place, id: string): void => {
  if (read(place, id) !== undefined) remove(place, id)
}

/** Shows a write that is not checked yet: what does not fit its column is left out. */
export const upsertRaw = (place: Place, document: NewDocument): void => {
  const found = read(place, document.$id)
  const given = dataOf(document)
  const values = Object.fromEntries(
    place.collection.attributes.flatMap((attribute): ReadonlyArray<[string, Value]> => {
      if (!Object.hasOwn(given, attribute.key)) return []
      const value = Attribute.check(attribute, given[attribute.key])
      return Result.isSuccess(value) ? [[attribute.key, value.success]] : []
    })
  )
  const now = formatDateTime(place.engine.now)
  const stored: Stored = {
    id: found?.$id ?? document.$id,
    createdAt: found?.$createdAt ?? now,
    updatedAt: found?.$updatedAt ?? now,
    permissions: document.$permissions ?? found?.$permissions ?? [],
    values
  }
  try {
    place.engine.sqlite.savepoint(() => {
      if (found === undefined) insert(place, stored)
      else replace(place, stored)
    })
  } catch (error) {
    // What meets a unique value is refused at the commit; it does not show before.
    if (!(error instanceof Refusal)) throw error
  }
}
