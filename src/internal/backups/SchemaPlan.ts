/**
 * From the schema that a target has to the one of a backup, in two steps with the documents between: first one that
 * holds the documents of both, then exactly the backup's. Pure.
 */
import * as Attribute from "../../Attribute.ts"
import type { Attribute as Definition } from "../../Attribute.ts"
import type { Collection } from "../../Collection.ts"
import { type Mutation, Operation } from "../../Operation.ts"
import { canonicalJson } from "../CanonicalJson.ts"
import * as RowWidth from "../RowWidth.ts"

export interface Plan {
  /** Before documents are written: room for all of them, and no index that stands in the way. */
  readonly before: ReadonlyArray<Mutation>
  /** When all documents are there. */
  readonly after: ReadonlyArray<Mutation>
}

const { cases } = Operation
const same = (left: unknown, right: unknown): boolean => canonicalJson(left) === canonicalJson(right)

/** One that refuses no value of the backup's. Its default fills nothing that is restored. */
const relaxed = (attribute: Definition): Definition => ({
  ...attribute,
  required: false,
  default: null,
  ...("min" in attribute ? { min: null, max: null } : {})
})

/** Holds the values of both: `from` stands there, `to` is wanted, of one kind. */
const widened = (from: Definition, to: Definition): Definition => {
  const sizes = "size" in from && "size" in to ? { size: Math.max(from.size, to.size) } : {}
  const elements =
    from.kind === "enum" && to.kind === "enum" ? { elements: [...new Set([...from.elements, ...to.elements])] } : {}
  return { ...relaxed(to), ...sizes, ...elements }
}

/** Kind and list-ness stay for good, and so do the bits of a whole number. */
const isReplaceable = (from: Definition, to: Definition): boolean =>
  from.kind === to.kind && from.array === to.array && (!("bits" in from) || !("bits" in to) || from.bits === to.bits)

/** A collection that is not there yet. */
export const creation = (database: string, schema: Collection): Plan => {
  const collection = schema.$id
  const { $permissions, attributes, documentSecurity, enabled, indexes, name } = schema
  // A default that an update alone may give comes by one.
  const late = attributes.filter((attribute) => Attribute.problem(attribute) !== undefined)
  return {
    before: [
      cases.CreateCollection.make({
        database,
        collection,
        name,
        permissions: $permissions,
        documentSecurity,
        enabled,
        attributes: attributes.map((attribute) => (late.includes(attribute) ? relaxed(attribute) : attribute)),
        indexes: []
      })
    ],
    after: [
      ...late.map((attribute): Mutation => ({ _tag: "UpdateAttribute", database, collection, attribute })),
      ...indexes.map((index) => cases.CreateIndex.make({ database, collection, index }))
    ]
  }
}

/** Whether a row has room for these attributes, and each can be defined. */
const fits = (attributes: ReadonlyArray<Definition>): boolean =>
  RowWidth.total(attributes) <= RowWidth.limit &&
  attributes.every((attribute) => Attribute.problem(attribute, { isUpdate: true }) === undefined)

/** From `current` to `schema`, under the id of `current`. */
export const change = (database: string, current: Collection, schema: Collection): Plan => {
  // Where attributes of both sizes have no room together, those that differ are emptied and made anew.
  const widening = planWith(database, current, schema, false)
  return widening ?? planWith(database, current, schema, true)!
}

/** Undefined where attributes that are widened have no room. */
const planWith = (
  database: string,
  current: Collection,
  schema: Collection,
  replacesAll: boolean
): Plan | undefined => {
  const collection = current.$id
  const before: Array<Mutation> = []
  const after: Array<Mutation> = []
  const wanted = new Map(schema.attributes.map((attribute) => [attribute.key, attribute]))
  const goes = current.attributes.filter((attribute) => {
    const to = wanted.get(attribute.key)
    if (to === undefined || !isReplaceable(attribute, to)) return true
    return replacesAll && !same(attribute, to)
  })
  const gone = new Set(goes.map(({ key }) => key))
  const changes = new Set(
    current.attributes.filter((attribute) => !same(attribute, wanted.get(attribute.key))).map(({ key }) => key)
  )
  // An index holds texts of so many characters: it waits until they have the backup's sizes.
  const keptIndexes = current.indexes.filter(
    (index) => !index.attributes.some((key) => changes.has(key)) && schema.indexes.some((other) => same(index, other))
  )
  for (const index of current.indexes) {
    if (!keptIndexes.includes(index)) before.push(cases.DeleteIndex.make({ database, collection, key: index.key }))
  }
  for (const { key } of goes) before.push(cases.DeleteAttribute.make({ database, collection, key }))
  const between: Array<Definition> = []
  const created: Array<Mutation> = []
  for (const attribute of schema.attributes) {
    const found = gone.has(attribute.key) ? undefined : current.attributes.find(({ key }) => key === attribute.key)
    if (found === undefined) {
      const fresh = relaxed(attribute)
      between.push(fresh)
      created.push({ _tag: "CreateAttribute", database, collection, attribute: fresh })
      if (!same(fresh, attribute)) after.push({ _tag: "UpdateAttribute", database, collection, attribute })
    } else if (same(found, attribute)) between.push(found)
    else {
      const wide = widened(found, attribute)
      between.push(wide)
      if (!same(wide, found)) before.push({ _tag: "UpdateAttribute", database, collection, attribute: wide })
      if (!same(wide, attribute)) after.push({ _tag: "UpdateAttribute", database, collection, attribute })
    }
  }
  if (!replacesAll && !fits(between)) return undefined
  before.push(...created)
  // One that becomes smaller makes room for one that becomes larger.
  const size = (operation: Mutation) => (operation._tag === "UpdateAttribute" ? RowWidth.of(operation.attribute) : 0)
  after.sort((left, right) => size(left) - size(right))
  for (const index of schema.indexes) {
    if (!keptIndexes.some((kept) => same(kept, index)))
      after.push(cases.CreateIndex.make({ database, collection, index }))
  }
  const { $permissions, documentSecurity, enabled, name } = schema
  if (
    !same(
      [$permissions, documentSecurity, enabled, name],
      [current.$permissions, current.documentSecurity, current.enabled, current.name]
    )
  ) {
    after.push(
      cases.UpdateCollection.make({ database, collection, name, permissions: $permissions, documentSecurity, enabled })
    )
  }
  return { before, after }
}
