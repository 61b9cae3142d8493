/**
 * Indexes of a collection: `key` for look-ups and order, `unique` for uniqueness under the server's collation,
 * `fulltext` for `search`.
 */
import * as Schema from "effect/Schema"

export const Kind = Schema.Literals(["key", "unique", "fulltext"])
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
  orders: Schema.Array(Order),
  /** Characters of each text that the index holds; 0, or left out: all. */
  lengths: Schema.Array(Schema.Int)
})
export type Index = typeof Index.Type

export interface Options {
  /** Direction for each attribute; those left out ascend. */
  readonly orders?: ReadonlyArray<Order> | undefined
  /** Characters of each text that the index holds; 0, or left out: all. */
  readonly lengths?: ReadonlyArray<number> | undefined
}
const make =
  (kind: Kind) =>
  (key: string, attributes: ReadonlyArray<string>, options?: Options): Index => ({
    key,
    kind,
    attributes,
    orders: options?.orders ?? [],
    lengths: options?.lengths ?? []
  })

/** Finds and sorts by `attributes`. */
export const key = make("key")

/** No two documents share the values of all `attributes`; null collides with nothing. */
export const unique = make("unique")

/** Finds words in texts, for `Query.search`. */
export const fulltext = make("fulltext")

/** Same attributes in the same directions and the same kind, whatever the key. */
export const equivalent = (left: Index, right: Index): boolean =>
  left.kind === right.kind &&
  left.attributes.length === right.attributes.length &&
  left.attributes.every(
    (attribute, position) =>
      attribute === right.attributes[position] && (left.orders[position] ?? "asc") === (right.orders[position] ?? "asc")
  )

/** The index that is left when an attribute is deleted; undefined where nothing is. Its lengths go, as on the server. */
export const without = (index: Index, attribute: string): Index | undefined => {
  const attributes = index.attributes.filter((key) => key !== attribute)
  if (attributes.length === 0) return undefined
  const orders = index.orders.filter((_, position) => index.attributes[position] !== attribute)
  return { ...index, attributes, orders, lengths: [] }
}
