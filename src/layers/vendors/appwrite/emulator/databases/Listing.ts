/** Lists of what is short: databases, tables, columns, indexes, transactions. */
import * as Result from "effect/Result"
import type { Call } from "../Call.ts"
import * as Lists from "../Lists.ts"
import * as Parameters from "./Parameters.ts"
import * as Queries from "./Queries.ts"

/** `total=0` leaves the count out; other words for no still count. */
export const counts = (input: { readonly [name: string]: unknown }): boolean => {
  const { total } = input
  if (total === undefined || total === "true" || total === "1" || total === "false") return true
  if (total === "0") return false
  Parameters.boolean(input, "total")
  return true
}

/** A page, as the call's queries ask for it. Throws `ApiFailure`. */
export const page = <A extends object>(
  call: Call,
  all: ReadonlyArray<A>,
  noun: string,
  attributes: ReadonlyArray<string>
): Lists.Page<A> => {
  const { query } = call
  const search = typeof query["search"] === "string" ? query["search"] : ""
  const request = { queries: Queries.textsOf(query["queries"]), search, total: counts(query) }
  return Result.getOrThrowWith(Lists.page({ noun, attributes }, all, request), (failure) => failure)
}
