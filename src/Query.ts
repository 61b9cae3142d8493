/**
 * Queries of a list, as data: filters, order, a limit, a cursor.
 *
 * Filters are joined by "and". Strings compare under the server's collation (Collation.ts); null matches no filter but
 * `isNull`. Without an order documents come by `$sequence`; `$sequence` also breaks ties, ascending.
 */
import * as Schema from "effect/Schema"

const Comparable = Schema.Union([Schema.String, Schema.Finite, Schema.BigInt, Schema.Boolean])
/** What a filter compares with: never null (`isNull` asks for that). */
export type Comparable = typeof Comparable.Type

const attribute = { attribute: Schema.String }

const one = { ...attribute, value: Comparable }
const text = { ...attribute, value: Schema.String }
const several = { ...attribute, values: Schema.Array(Comparable) }
const range = { ...attribute, from: Comparable, to: Comparable }

/** A filter on one attribute. */
const Simple = Schema.TaggedUnion({
  Equal: several,
  NotEqual: one,
  LessThan: one,
  LessThanEqual: one,
  GreaterThan: one,
  GreaterThanEqual: one,
  Between: range,
  NotBetween: range,
  IsNull: attribute,
  IsNotNull: attribute,
  StartsWith: text,
  NotStartsWith: text,
  EndsWith: text,
  NotEndsWith: text,
  Contains: several,
  NotContains: several,
  ContainsAll: several,
  Search: text,
  NotSearch: text
})
type Simple = typeof Simple.Type

/** A condition that a document meets or does not. */
export type Filter =
  | Simple
  | { readonly _tag: "And"; readonly filters: ReadonlyArray<Filter> }
  | { readonly _tag: "Or"; readonly filters: ReadonlyArray<Filter> }
export const Filter: Schema.Codec<Filter> = Schema.Union([
  Simple,
  Schema.TaggedStruct("And", { filters: Schema.Array(Schema.suspend((): Schema.Codec<Filter> => Filter)) }),
  Schema.TaggedStruct("Or", { filters: Schema.Array(Schema.suspend((): Schema.Codec<Filter> => Filter)) })
])

/** What shapes a list beside its filters. */
const Shape = Schema.TaggedUnion({
  OrderAsc: attribute,
  OrderDesc: attribute,
  OrderRandom: {},
  Limit: { count: Schema.Int },
  Offset: { count: Schema.Int },
  CursorAfter: { document: Schema.String },
  CursorBefore: { document: Schema.String },
  Select: { attributes: Schema.Array(Schema.String) }
})
type Shape = typeof Shape.Type

export const Query: Schema.Codec<Filter | Shape> = Schema.Union([Filter, Shape])
export type Query = Filter | Shape
export type Order = Extract<Shape, { readonly _tag: "OrderAsc" | "OrderDesc" }>
export type Cursor = Extract<Shape, { readonly _tag: "CursorAfter" | "CursorBefore" }>

/**
 * Most queries in one list, most values in one `equal`, most characters of one query; documents in a list without a
 * limit; where counting ends.
 */
export const limits = { queries: 100, values: 500, length: 4096, defaultLimit: 25, total: 5000 } as const

const list = (values: Comparable | ReadonlyArray<Comparable>): ReadonlyArray<Comparable> =>
  typeof values === "object" ? values : [values]

/** Equal to one of the values. */
export const equal = (attribute: string, values: Comparable | ReadonlyArray<Comparable>): Filter => ({
  _tag: "Equal",
  attribute,
  values: list(values)
})
export const notEqual = (attribute: string, value: Comparable): Filter => ({ _tag: "NotEqual", attribute, value })
export const lessThan = (attribute: string, value: Comparable): Filter => ({ _tag: "LessThan", attribute, value })
export const lessThanEqual = (attribute: string, value: Comparable): Filter => ({
  _tag: "LessThanEqual",
  attribute,
  value
})
export const greaterThan = (attribute: string, value: Comparable): Filter => ({ _tag: "GreaterThan", attribute, value })
export const greaterThanEqual = (attribute: string, value: Comparable): Filter => ({
  _tag: "GreaterThanEqual",
  attribute,
  value
})
/** From `from` to `to`, both included. */
export const between = (attribute: string, from: Comparable, to: Comparable): Filter => ({
  _tag: "Between",
  attribute,
  from,
  to
})
export const notBetween = (attribute: string, from: Comparable, to: Comparable): Filter => ({
  _tag: "NotBetween",
  attribute,
  from,
  to
})
export const isNull = (attribute: string): Filter => ({ _tag: "IsNull", attribute })
export const isNotNull = (attribute: string): Filter => ({ _tag: "IsNotNull", attribute })
/** A text that begins so, without regard to case and accents. */
export const startsWith = (attribute: string, value: string): Filter => ({ _tag: "StartsWith", attribute, value })
export const notStartsWith = (attribute: string, value: string): Filter => ({ _tag: "NotStartsWith", attribute, value })
export const endsWith = (attribute: string, value: string): Filter => ({ _tag: "EndsWith", attribute, value })
export const notEndsWith = (attribute: string, value: string): Filter => ({ _tag: "NotEndsWith", attribute, value })
/** A text that holds one of the values, without regard to case and accents; or a list that has one of them, exactly. */
export const contains = (attribute: string, values: Comparable | ReadonlyArray<Comparable>): Filter => ({
  _tag: "Contains",
  attribute,
  values: list(values)
})
export const notContains = (attribute: string, values: Comparable | ReadonlyArray<Comparable>): Filter => ({
  _tag: "NotContains",
  attribute,
  values: list(values)
})
/** A list that has all of the values, exactly. */
export const containsAll = (attribute: string, values: ReadonlyArray<Comparable>): Filter => ({
  _tag: "ContainsAll",
  attribute,
  values
})
/** Words, each by its beginning, or a phrase in quotes; needs a fulltext index. */
export const search = (attribute: string, value: string): Filter => ({ _tag: "Search", attribute, value })
/** What `search` does not find, null included. */
export const notSearch = (attribute: string, value: string): Filter => ({ _tag: "NotSearch", attribute, value })
/** All of at least two filters. */
export const and = (filters: ReadonlyArray<Filter>): Filter => ({ _tag: "And", filters })
/** One of at least two filters. */
export const or = (filters: ReadonlyArray<Filter>): Filter => ({ _tag: "Or", filters })
/** Ascending; nulls first. */
export const orderAsc = (attribute: string): Query => ({ _tag: "OrderAsc", attribute })
/** Descending; nulls last. */
export const orderDesc = (attribute: string): Query => ({ _tag: "OrderDesc", attribute })
/** In no order, another one each time. */
export const orderRandom = (): Query => ({ _tag: "OrderRandom" })
/** At most so many documents; 25 where a list has no limit. The first of several counts. */
export const limit = (count: number): Query => ({ _tag: "Limit", count })
/** Leaves out the first ones. The first of several counts. */
export const offset = (count: number): Query => ({ _tag: "Offset", count })
/** Those behind this document in the list's order. */
export const cursorAfter = (document: string): Query => ({ _tag: "CursorAfter", document })
/** Those before it, the nearest ones, in the list's order. */
export const cursorBefore = (document: string): Query => ({ _tag: "CursorBefore", document })
/** Only these attributes, and the system's; `*` stands for all. Several add up. */
export const select = (attributes: ReadonlyArray<string>): Query => ({ _tag: "Select", attributes })

const shapes: ReadonlySet<string> = new Set([
  "OrderAsc",
  "OrderDesc",
  "OrderRandom",
  "Limit",
  "Offset",
  "CursorAfter",
  "CursorBefore",
  "Select"
] satisfies ReadonlyArray<Shape["_tag"]>)
export const isFilter = (query: Query): query is Filter => !shapes.has(query._tag)

/** A list's queries, sorted by what they do. */
export interface Parts {
  readonly filters: ReadonlyArray<Filter>
  readonly orders: ReadonlyArray<Order>
  /** No order, whatever `orders` say. */
  readonly isRandom: boolean
  readonly limit: number
  readonly offset: number
  readonly cursor: Cursor | undefined
  /** Undefined: all. */
  readonly select: ReadonlyArray<string> | undefined
}
export const parts = (queries: ReadonlyArray<Query>): Parts => {
  const filters: Array<Filter> = []
  const orders: Array<Order> = []
  const selected: Array<string> = []
  let [limit, offset]: [number | undefined, number | undefined] = [undefined, undefined]
  let cursor: Cursor | undefined
  let isRandom = false
  for (const query of queries) {
    switch (query._tag) {
      case "Limit":
        limit ??= query.count
        break
      case "Offset":
        offset ??= query.count
        break
      case "CursorAfter":
      case "CursorBefore":
        cursor ??= query
        break
      case "OrderAsc":
      case "OrderDesc":
        orders.push(query)
        break
      case "OrderRandom":
        isRandom = true
        break
      case "Select":
        selected.push(...query.attributes)
        break
      default:
        filters.push(query)
    }
  }
  const select = queries.some(({ _tag }) => _tag === "Select") ? selected : undefined
  return { filters, orders, isRandom, limit: limit ?? limits.defaultLimit, offset: offset ?? 0, cursor, select }
}
