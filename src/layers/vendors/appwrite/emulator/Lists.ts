/**
 * Lists of buckets, files, databases, tables: filtered, sorted and cut by queries, in this process. They are short;
 * rows have their own way.
 */
import * as Result from "effect/Result"
import * as Collation from "../../../../Collation.ts"
import { limits } from "../../../../Query.ts"
import * as ApiFailure from "./ApiFailure.ts"
import * as Json from "./Json.ts"
import * as Queries from "./Queries.ts"

/** An item of a list; its place in the order of creation stands for `$sequence`. */
interface Item {
  readonly value: { readonly [attribute: string]: unknown }
  readonly place: number
}
const read = ({ place, value }: Item, attribute: string) => (attribute === "$sequence" ? place : value[attribute])

export interface Spec {
  /** What a cursor's message calls an item: `Bucket`. */
  readonly noun: string
  /** Attributes that filters and orders may name, besides `$id`, `$createdAt`, `$updatedAt`, `$sequence`. */
  readonly attributes: ReadonlyArray<string>
}

export interface Request {
  readonly queries: ReadonlyArray<string>
  readonly search: string
  readonly total: boolean
}
export interface Page<A> {
  readonly total: number
  readonly items: ReadonlyArray<A>
}

const compare = (left: unknown, right: unknown): number => {
  if (typeof left === "string" && typeof right === "string") return Collation.compare(left, right)
  return Number(left) - Number(right)
}
const number = (value: unknown) => (value instanceof Json.Decimal ? value.value : value)
const fold = (value: unknown) => String(value).toLowerCase()

type Test = (value: unknown, given: ReadonlyArray<unknown>) => boolean
const not =
  (test: Test): Test =>
  (value, given) =>
    value !== null && value !== undefined && !test(value, given)
const equal: Test = (value, given) => given.some((one) => compare(value, one) === 0)
const between: Test = (value, [low, high]) => compare(value, low) >= 0 && compare(value, high) <= 0
const startsWith: Test = (value, [text]) => fold(value).startsWith(fold(text))
const endsWith: Test = (value, [text]) => fold(value).endsWith(fold(text))
const contains: Test = (value, given) =>
  Array.isArray(value) ? given.some((one) => value.includes(one)) : given.some((one) => fold(value).includes(fold(one)))
const isNull: Test = (value) => value === null || value === undefined

const tests: { readonly [method: string]: Test } = {
  equal,
  notEqual: not(equal),
  lessThan: (value, [bound]) => compare(value, bound) < 0,
  lessThanEqual: (value, [bound]) => compare(value, bound) <= 0,
  greaterThan: (value, [bound]) => compare(value, bound) > 0,
  greaterThanEqual: (value, [bound]) => compare(value, bound) >= 0,
  between,
  notBetween: not(between),
  startsWith,
  notStartsWith: not(startsWith),
  endsWith,
  notEndsWith: not(endsWith),
  contains,
  notContains: not(contains),
  isNull,
  isNotNull: (value, given) => !isNull(value, given)
}

interface Plan {
  readonly filters: Array<(item: Item) => boolean>
  readonly orders: Array<(left: Item, right: Item) => number>
  limit: number | undefined
  offset: number | undefined
  cursor: { readonly id: string; readonly after: boolean } | undefined
}

const systemAttributes: ReadonlySet<string> = new Set(["$id", "$createdAt", "$updatedAt", "$sequence"])
const largest = "9,223,372,036,854,775,807"
const isCount = (value: unknown, minimum: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= minimum

/** Adds a query to the plan, or says what is wrong with it. */
const planQuery = (plan: Plan, spec: Spec, { attribute, method, values }: Queries.Written): string | undefined => {
  const [first] = values
  const known = systemAttributes.has(attribute) || spec.attributes.includes(attribute)
  if (method === "limit" || method === "offset") {
    const minimum = method === "limit" ? 1 : 0
    if (!isCount(first, minimum)) {
      return `Invalid query: Invalid ${method}: Value must be a valid range between ${minimum} and ${largest}`
    }
    plan[method] ??= first
    return undefined
  }
  if (method === "cursorAfter" || method === "cursorBefore") {
    if (typeof first !== "string") return "Invalid query: Invalid cursor: Value must be a valid string"
    plan.cursor ??= { id: first, after: method === "cursorAfter" }
    return undefined
  }
  if (method === "select") return undefined
  if (method === "orderAsc" || method === "orderDesc") {
    if (!known && attribute !== "") return `Invalid query: Attribute not found in schema: ${attribute}`
    const name = attribute === "" ? "$sequence" : attribute
    const sign = method === "orderAsc" ? 1 : -1
    plan.orders.push((left, right) => sign * compare(read(left, name), read(right, name)))
    return undefined
  }
  const test = tests[method]
  if (test === undefined) return `Invalid query: Invalid query method: ${method}`
  if (!known) return `Invalid query: Attribute not found in schema: ${attribute}`
  const given = values.map(number)
  if (given.length === 0 && method !== "isNull" && method !== "isNotNull") {
    return `Invalid query: ${method[0]?.toUpperCase()}${method.slice(1)} queries require at least one value.`
  }
  plan.filters.push((item) => test(read(item, attribute) ?? null, given))
  return undefined
}

const words = (text: string) => text.toLowerCase().match(/[\p{L}\p{N}_]+/gu) ?? []
/** Any word that begins with any word that is searched for. */
const matches = ({ value }: Item, searched: ReadonlyArray<string>) => {
  const present = words(`${String(value["$id"])} ${String(value["name"] ?? "")}`)
  return searched.some((word) => present.some((one) => one.startsWith(word)))
}

const planOf = (spec: Spec, request: Request): Result.Result<Plan, ApiFailure.ApiFailure> => {
  const plan: Plan = { filters: [], orders: [], limit: undefined, offset: undefined, cursor: undefined }
  for (const text of request.queries) {
    const query = Queries.parse(text)
    const detail = typeof query === "string" ? `Invalid query: ${query}` : planQuery(plan, spec, query)
    if (detail !== undefined) return Result.fail(ApiFailure.invalidParameter("queries", detail))
  }
  if (request.search !== "") {
    const searched = words(request.search)
    plan.filters.push((item) => matches(item, searched))
  }
  return Result.succeed(plan)
}

/** Ties go by the order of creation, ascending. */
const orderOf =
  (plan: Plan) =>
  (left: Item, right: Item): number => {
    for (const order of plan.orders) {
      const difference = order(left, right)
      if (difference !== 0) return difference
    }
    return left.place - right.place
  }

/** The items in order, after or before the cursor's; the first of them or, before a cursor, the last. */
const cut = (plan: Plan, sorted: ReadonlyArray<Item>, cursor: Item | undefined): ReadonlyArray<Item> => {
  const limit = plan.limit ?? limits.defaultLimit
  const offset = plan.offset ?? 0
  if (cursor === undefined || plan.cursor === undefined) return sorted.slice(offset, offset + limit)
  const order = orderOf(plan)
  if (plan.cursor.after) return sorted.filter((item) => order(item, cursor) > 0).slice(offset, offset + limit)
  const before = sorted.filter((item) => order(item, cursor) < 0)
  return before.slice(Math.max(0, before.length - offset - limit), Math.max(0, before.length - offset))
}

/** What a list answers. `values` come in the order of their creation. */
export const page = <A extends object>(
  spec: Spec,
  values: ReadonlyArray<A>,
  request: Request
): Result.Result<Page<A>, ApiFailure.ApiFailure> =>
  Result.flatMap(planOf(spec, request), (plan) => {
    const items = values.map((value, place): Item => ({ value: value as Item["value"], place }))
    const id = plan.cursor?.id
    const cursor = id === undefined ? undefined : items.find((item) => fold(item.value["$id"]) === fold(id))
    if (id !== undefined && cursor === undefined) {
      const message = `${spec.noun} '${id}' for the 'cursor' value not found.`
      return Result.fail(ApiFailure.make(400, "general_cursor_not_found", message))
    }
    const found = items.filter((item) => plan.filters.every((filter) => filter(item))).toSorted(orderOf(plan))
    return Result.succeed({
      total: request.total ? Math.min(found.length, limits.total) : 0,
      items: cut(plan, found, cursor).map(({ place }) => values[place]!)
    })
  })
