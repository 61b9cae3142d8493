/**
 * Queries of a list, as data: filters, order, a limit, a cursor.
 *
 * Filters are joined by "and". Strings compare under the server's collation (Collation.ts); null matches no filter but
 * `isNull`. Without an order documents come by `$sequence`; `$sequence` also breaks ties, ascending.
 */
import * as Schema from "effect/Schema"

const Comparable = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean])
/** What a filter compares with: never null (`isNull` asks for that). */
export type Comparable = typeof Comparable.Type

const attribute = { attribute: Schema.String }

export const Query = Schema.TaggedUnion({
  Equal: { ...attribute, values: Schema.Array(Comparable) },
  NotEqual: { ...attribute, value: Comparable },
  LessThan: { ...attribute, value: Comparable },
  LessThanEqual: { ...attribute, value: Comparable },
  GreaterThan: { ...attribute, value: Comparable },
  GreaterThanEqual: { ...attribute, value: Comparable },
  IsNull: attribute,
  IsNotNull: attribute,
  OrderAsc: attribute,
  OrderDesc: attribute,
  Limit: { count: Schema.Int },
  CursorAfter: { document: Schema.String },
  CursorBefore: { document: Schema.String }
})
export type Query = typeof Query.Type
export type Filter = Extract<Query, { readonly attribute: string }> & { readonly _tag: FilterTag }
export type FilterTag =
  | "Equal"
  | "NotEqual"
  | "LessThan"
  | "LessThanEqual"
  | "GreaterThan"
  | "GreaterThanEqual"
  | "IsNull"
  | "IsNotNull"
export type Order = Extract<Query, { readonly _tag: "OrderAsc" | "OrderDesc" }>
export type Cursor = Extract<Query, { readonly _tag: "CursorAfter" | "CursorBefore" }>

/**
 * Most queries in one list, most values in one `equal`, most characters of one query; documents in a list without a
 * limit; where counting ends.
 */
export const limits = { queries: 100, values: 500, length: 4096, defaultLimit: 25, total: 5000 } as const

const list = (values: Comparable | ReadonlyArray<Comparable>): ReadonlyArray<Comparable> =>
  typeof values === "object" ? values : [values]

/** Equal to one of the values. */
export const equal = (attribute: string, values: Comparable | ReadonlyArray<Comparable>): Query => ({
  _tag: "Equal",
  attribute,
  values: list(values)
})
export const notEqual = (attribute: string, value: Comparable): Query => ({ _tag: "NotEqual", attribute, value })
export const lessThan = (attribute: string, value: Comparable): Query => ({ _tag: "LessThan", attribute, value })
export const lessThanEqual = (attribute: string, value: Comparable): Query => ({
  _tag: "LessThanEqual",
  attribute,
  value
})
export const greaterThan = (attribute: string, value: Comparable): Query => ({ _tag: "GreaterThan", attribute, value })
export const greaterThanEqual = (attribute: string, value: Comparable): Query => ({
  _tag: "GreaterThanEqual",
  attribute,
  value
})
export const isNull = (attribute: string): Query => ({ _tag: "IsNull", attribute })
export const isNotNull = (attribute: string): Query => ({ _tag: "IsNotNull", attribute })
/** Ascending; nulls first. */
export const orderAsc = (attribute: string): Query => ({ _tag: "OrderAsc", attribute })
/** Descending; nulls last. */
export const orderDesc = (attribute: string): Query => ({ _tag: "OrderDesc", attribute })
/** At most so many documents; 25 where a list has no limit. The first of several counts. */
export const limit = (count: number): Query => ({ _tag: "Limit", count })
/** Those behind this document in the list's order. */
export const cursorAfter = (document: string): Query => ({ _tag: "CursorAfter", document })
/** Those before it, the nearest ones, in the list's order. */
export const cursorBefore = (document: string): Query => ({ _tag: "CursorBefore", document })

/** A list's queries, sorted by what they do. */
export interface Parts {
  readonly filters: ReadonlyArray<Filter>
  readonly orders: ReadonlyArray<Order>
  readonly limit: number
  readonly cursor: Cursor | undefined
}
export const parts = (queries: ReadonlyArray<Query>): Parts => {
  const filters: Array<Filter> = []
  const orders: Array<Order> = []
  let limit: number | undefined
  let cursor: Cursor | undefined
  for (const query of queries) {
    if (query._tag === "Limit") limit ??= query.count
    else if (query._tag === "CursorAfter" || query._tag === "CursorBefore") cursor ??= query
    else if (query._tag === "OrderAsc" || query._tag === "OrderDesc") orders.push(query)
    else filters.push(query)
  }
  return { filters, orders, limit: limit ?? limits.defaultLimit, cursor }
}
