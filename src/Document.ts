/** Documents: a system part (`$…`) and the values of the collection's attributes, in one flat record as on the wire. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Attribute from "./Attribute.ts"
import type { Collection } from "./Collection.ts"

/** Values of attributes, by key. */
export const Data = Schema.Record(Schema.String, Attribute.Value)
export type Data = typeof Data.Type

/** The part of a document that is not an attribute's. Dates as `2024-01-02T03:04:05.000+00:00`. */
export const System = Schema.Struct({
  $id: Schema.String,
  /** Grows with each creation, never used twice, never set by a caller. */
  $sequence: Schema.String,
  $createdAt: Schema.String,
  $updatedAt: Schema.String,
  $permissions: Schema.Array(Schema.String)
})
export type System = typeof System.Type

/** A document as the server gives it: each attribute of its collection has a value, if only null. */
export const Document = Schema.StructWithRest(System, [Schema.Record(Schema.String, Attribute.Value)])
export type Document = typeof Document.Type

/** The values of its attributes alone. */
export const dataOf = (document: Document): Data =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !key.startsWith("$")))

/** What is wrong with the data of a write. `type` is Appwrite's name for it. */
export interface Problem {
  readonly attribute: string
  readonly detail: string
}

const unknownAttribute = (collection: Collection, key: string): Problem => ({
  attribute: key,
  detail: `the collection has no such attribute (it has ${collection.attributes.map((one) => one.key).join(", ") || "none"})`
})

/** By record: worked out once for all documents of a collection. */
const keys = new WeakMap<Collection, ReadonlySet<string>>()
const keysOf = (collection: Collection): ReadonlySet<string> => {
  const known = keys.get(collection) ?? new Set(collection.attributes.map(({ key }) => key))
  keys.set(collection, known)
  return known
}

/** Checks the values that a write gives and nothing else: what documents hold already is not asked. */
export const validateGiven = (collection: Collection, data: Data): Result.Result<Data, Problem> => {
  const values: Record<string, Attribute.Value> = {}
  for (const [key, value] of Object.entries(data)) {
    const attribute = collection.attributes.find((one) => one.key === key)
    if (attribute === undefined) return Result.fail(unknownAttribute(collection, key))
    if (value === null && attribute.required)
      return Result.fail({ attribute: key, detail: "it is required and has no value" })
    const checked = value === null ? Result.succeed(null) : Attribute.check(attribute, value)
    if (Result.isFailure(checked)) return Result.fail({ attribute: key, detail: checked.failure })
    values[key] = checked.success
  }
  return Result.succeed(values)
}

/**
 * Checks the data of a write and answers the values to store.
 *
 * Given a document's stored values, what the write leaves out is checked too, and a default fills what is null:
 * so the server does, and a document that a narrower rule made invalid takes no update before it is mended.
 */
export const validate = (collection: Collection, data: Data, stored?: Data): Result.Result<Data, Problem> => {
  const known = keysOf(collection)
  for (const key of Object.keys(data)) if (!known.has(key)) return Result.fail(unknownAttribute(collection, key))
  const values: Record<string, Attribute.Value> = {}
  for (const attribute of collection.attributes) {
    const { key } = attribute
    // An attribute may bear the name of one of Object's own members.
    const given = Object.hasOwn(data, key)
    const kept = stored !== undefined && Object.hasOwn(stored, key) ? stored[key] : undefined
    const value = (given ? data[key] : kept) ?? attribute.default
    if (value === null) {
      if (attribute.required) return Result.fail({ attribute: key, detail: "it is required and has no value" })
      // A list that nobody wrote stays null underneath; it reads as empty.
      if (given || stored !== undefined) values[key] = null
      continue
    }
    const checked = Attribute.check(attribute, value)
    if (Result.isFailure(checked)) return Result.fail({ attribute: key, detail: checked.failure })
    values[key] = checked.success
  }
  return Result.succeed(values)
}
