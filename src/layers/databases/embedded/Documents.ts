/** Operations on single documents. */
import type { Attribute } from "../../../Attribute.ts"
import { Conflict, LimitExceeded, NotFound } from "../../../DatabasesError.ts"
import * as Document from "../../../Document.ts"
import { formatDateTime, parseDateTime } from "../../../internal/DateTimeText.ts"
import * as ExactJson from "../../../internal/ExactJson.ts"
import type { Changes, NewDocument, Of } from "../../../Operation.ts"
import * as Query from "../../../Query.ts"
import { quote } from "../../vendors/Sqlite.ts"
import * as Access from "./Access.ts"
import { upper } from "./Columns.ts"
import { invalidArgument, invalidQuery, notFound, Refusal } from "./Refusal.ts"
import {
  create,
  dataOf,
  existing,
  givenDate,
  permissionsOf,
  type Place,
  placeOf,
  read,
  remove,
  replace,
  validated
} from "./Rows.ts"
import * as Select from "./Select.ts"
import type { Engine } from "./Engine.ts"

const sameJson = (left: unknown, right: unknown): boolean =>
  left === right || ExactJson.stringify(left) === ExactJson.stringify(right)

/** Compare-and-swap: the document must not have changed after `since`. */
const checkUnmodified = (current: Document.Document, since: string | undefined): void => {
  if (since === undefined) return
  const limit = parseDateTime(since)
  if (limit === undefined) throw invalidArgument("ifUnmodifiedSince", `${JSON.stringify(since)} is no ISO 8601 date`)
  if (parseDateTime(current.$updatedAt)! > limit) {
    const detail = `document ${current.$id} changed at ${current.$updatedAt}, after ${since}`
    throw new Refusal(new Conflict({ type: "row_update_conflict", detail }))
  }
}

export const update = (place: Place, id: string, changes: Changes, since?: string): void => {
  const current = existing(place, id)
  Access.checkChange(place.caller, place.collection, current, "update")
  const permissions =
    changes.$permissions === undefined ? current.$permissions : permissionsOf(current.$id, changes.$permissions)
  if (Object.keys(changes).length === 0) {
    throw invalidArgument("changes", "nothing to change: give values or permissions", "row_missing_payload")
  }
  checkUnmodified(current, since)
  const values = validated(place, current.$id, changes, Document.dataOf(current))
  if (changes.$permissions !== undefined) Access.checkGrant(place.caller, changes.$permissions)
  const createdAt = givenDate(place, current.$id, changes, "$createdAt")
  const updatedAt = givenDate(place, current.$id, changes, "$updatedAt")
  const dated = createdAt !== undefined || updatedAt !== undefined
  // An array that is null underneath reads as empty: to set it so is no change.
  const changed = Object.entries(values).filter(([key, value]) => {
    const before = current[key]
    // A list left out stays; one set to null becomes null underneath, which is a change unless it reads as empty.
    return !sameJson(value ?? (Array.isArray(before) && !Object.hasOwn(changes, key) ? [] : null), before)
  })
  if (!dated && changed.length === 0 && sameJson(permissions, current.$permissions)) return
  replace(place, {
    id: current.$id,
    createdAt: createdAt ?? current.$createdAt,
    updatedAt: updatedAt ?? formatDateTime(place.engine.now),
    permissions,
    values: Object.fromEntries(changed)
  })
}

/** Creates the document, or merges it into the one of its id; what is required must be given either way. */
export const upsert = (place: Place, document: NewDocument): Document.Document => {
  const found = read(place, document.$id)
  if (found === undefined) return create(place, document)
  validated(place, found.$id, document)
  const { $id: _id, ...changes } = document
  // As recorded: one that names only some of the attributes always counts as a change.
  const partial = place.collection.attributes.some(({ key }) => !Object.hasOwn(document, key))
  const dated = partial && changes.$updatedAt === undefined ? { $updatedAt: formatDateTime(place.engine.now) } : {}
  const given = { ...changes, ...dated }
  // A collection without attributes has nothing to name.
  if (Object.keys(given).length === 0) return found
  update(place, found.$id, given)
  return existing(place, found.$id)
}

const selected = (
  place: Place,
  document: Document.Document,
  queries: ReadonlyArray<Query.Query>
): Document.Document => {
  const other = queries.find(({ _tag }) => _tag !== "Select")
  if (other !== undefined) throw invalidQuery(`a single document takes select alone, not ${other._tag}`)
  return Select.selector(place.collection, Query.parts(queries).select)(document)
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

export const getDocument = (engine: Engine, operation: Of<"GetDocument">): Document.Document => {
  const place = placeOf(engine, operation)
  const document = existing(place, operation.id)
  if (!Access.mayRead(engine.caller, place.collection, document)) throw notFound("document", operation.id)
  return selected(place, document, operation.queries)
}

export const updateDocument = (engine: Engine, operation: Of<"UpdateDocument">): Document.Document => {
  const place = placeOf(engine, operation)
  update(place, operation.id, operation.changes, operation.ifUnmodifiedSince)
  return existing(place, operation.id)
}

export const upsertDocument = (engine: Engine, operation: Of<"UpsertDocument">): Document.Document => {
  const { $id: _id, ...rest } = operation.document
  if (Object.keys(rest).length === 0) {
    throw invalidArgument("document", "nothing to write: give values or permissions", "row_missing_payload")
  }
  return upsert(placeOf(engine, operation), operation.document)
}

export const deleteDocument = (engine: Engine, operation: Of<"DeleteDocument">): void => {
  const place = placeOf(engine, operation)
  const current = existing(place, operation.id)
  Access.checkChange(engine.caller, place.collection, current, "delete")
  checkUnmodified(current, operation.ifUnmodifiedSince)
  remove(place, operation.id)
}

type Amount = number | bigint
type Of64 = Extract<Attribute, { readonly kind: "integer" | "bigint" | "float" }>

const isNumber = (attribute: Attribute): attribute is Of64 =>
  !attribute.array && (attribute.kind === "integer" || attribute.kind === "bigint" || attribute.kind === "float")

/** The sum as its kind holds it, and what that kind can hold. */
const sumOf = (attribute: Of64, before: Amount, by: Amount): Amount =>
  attribute.kind === "float" ? Number(before) + Number(by) : ExactJson.normalizeInteger(BigInt(before) + BigInt(by))

const widthOf = (attribute: Of64): readonly [least: Amount, greatest: Amount] => {
  if (attribute.kind === "float") return [-Number.MAX_VALUE, Number.MAX_VALUE]
  const half = 2n ** BigInt(attribute.kind === "integer" ? attribute.bits - 1 : 63)
  return [-half, half - 1n]
}

/** Adds to one attribute in place; the attribute's own bounds are not asked, those of the call are. */
export const addTo = (
  engine: Engine,
  operation: Of<"IncrementAttribute"> | Of<"DecrementAttribute">
): Document.Document => {
  const place = placeOf(engine, operation)
  const { attribute: key, by, id } = operation
  if (!(by > 0)) throw invalidArgument("by", `must be a number above 0, got ${by}`)
  const attribute = place.collection.attributes.find((one) => one.key === key)
  const missing = (resource: "attribute" | "document", name: string) =>
    new Refusal(new NotFound({ type: "column_not_found", resource, id: name }))
  if (key.startsWith("$")) throw invalidArgument("attribute", `${key} is the system's own`)
  if (attribute === undefined) throw missing("attribute", key)
  if (!isNumber(attribute)) throw invalidArgument(key, "it holds no number to add to", "attribute_type_invalid")
  const current = read(place, id)
  if (current === undefined) throw missing("document", id)
  Access.checkChange(engine.caller, place.collection, current, "update")
  if (attribute.kind !== "float" && typeof by === "number" && !Number.isInteger(by)) {
    throw invalidArgument("by", `${key} holds whole numbers, and ${by} is none`)
  }
  const before = (current[key] ?? 0) as Amount
  const after = sumOf(attribute, before, operation._tag === "IncrementAttribute" ? by : -by)
  const [least, greatest] = widthOf(attribute)
  const [min, max] = operation._tag === "IncrementAttribute" ? [null, operation.max] : [operation.min, null]
  if (after > greatest || after < least || (max !== null && after > max) || (min !== null && after < min)) {
    const detail = `${key} is ${before}, and ${after} lies beyond ${max ?? min ?? "what it holds"}. Nothing was changed`
    throw new Refusal(new LimitExceeded({ type: "column_limit_exceeded", detail }))
  }
  engine.sqlite.run(
    `update ${place.table} set ${quote(key)} = ?, "$updatedAt" = ? where upper("$id") = ?`,
    after,
    formatDateTime(engine.now),
    upper(id)
  )
  return existing(place, id)
}
