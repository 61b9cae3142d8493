/** Indexes of a collection: `key` for look-ups and order, `unique` for uniqueness under the server's collation. */
import * as Schema from "effect/Schema"

export const Kind = Schema.Literals(["key", "unique"])
export type Kind = typeof Kind.Type

export const Order = Schema.Literals(["asc", "desc"])
export type Order = typeof Order.Type

/** A definition. */
export const Index = Schema.Struct({
  /** 1 to 36 of `a-z A-Z 0-9 . - _`, not starting with a sign. Compared without case. */
  key: Schema.String,
  kind: Kind,
  /** Keys of attributes, or `$id`, `$createdAt`, `$updatedAt`; not of arrays. */
  attributes: Schema.Array(Schema.String),
  /** Direction for each attribute; those left out ascend. */
  orders: Schema.Array(Order)
})
export type Index = typeof Index.Type

/** Finds and sorts by `attributes`. */
export const key = (
  name: string,
  attributes: ReadonlyArray<string>,
  options?: { readonly orders?: ReadonlyArray<Order> | undefined }
): Index => ({ key: name, kind: "key", attributes, orders: options?.orders ?? [] })

/** No two documents share the values of all `attributes`; null collides with nothing. */
export const unique = (
  name: string,
  attributes: ReadonlyArray<string>,
  options?: { readonly orders?: ReadonlyArray<Order> | undefined }
): Index => ({ key: name, kind: "unique", attributes, orders: options?.orders ?? [] })

/** Same attributes in the same directions and the same kind, whatever the key. */
export const equivalent = (left: Index, right: Index): boolean =>
  left.kind === right.kind &&
  left.attributes.length === right.attributes.length &&
  left.attributes.every(
    (attribute, position) =>
      attribute === right.attributes[position] && (left.orders[position] ?? "asc") === (right.orders[position] ?? "asc")
  )

/** The index that is left when an attribute is deleted; undefined where nothing is. */
export const without = (index: Index, attribute: string): Index | undefined => {
  const kept = index.attributes.flatMap((key, position) =>
    key === attribute ? [] : [{ key, order: index.orders[position] }]
  )
  if (kept.length === 0) return undefined
  const orders = index.orders.length === 0 ? [] : kept.map(({ order }) => order ?? "asc")
  return { ...index, attributes: kept.map(({ key }) => key), orders }
}
