/** Our queries as the SDK's. */
import { Query as Sdk } from "node-appwrite"
import type * as Query from "../../../src/Query.ts"

/** Each query is a text, as the SDK wants it. */
const toSdk = (query: Query.Query): string => {
  switch (query._tag) {
    case "Equal":
      return Sdk.equal(query.attribute, [...query.values])
    case "NotEqual":
      return Sdk.notEqual(query.attribute, query.value)
    case "LessThan":
      return Sdk.lessThan(query.attribute, query.value)
    case "LessThanEqual":
      return Sdk.lessThanEqual(query.attribute, query.value)
    case "GreaterThan":
      return Sdk.greaterThan(query.attribute, query.value)
    case "GreaterThanEqual":
      return Sdk.greaterThanEqual(query.attribute, query.value)
    // Its types know no booleans between others; it sends them all the same.
    case "Between":
      return Sdk.between(query.attribute, query.from as string, query.to as string)
    case "NotBetween":
      return Sdk.notBetween(query.attribute, query.from as string, query.to as string)
    case "IsNull":
      return Sdk.isNull(query.attribute)
    case "IsNotNull":
      return Sdk.isNotNull(query.attribute)
    case "StartsWith":
      return Sdk.startsWith(query.attribute, query.value)
    case "NotStartsWith":
      return Sdk.notStartsWith(query.attribute, query.value)
    case "EndsWith":
      return Sdk.endsWith(query.attribute, query.value)
    case "NotEndsWith":
      return Sdk.notEndsWith(query.attribute, query.value)
    case "Contains":
      return Sdk.contains(query.attribute, [...query.values])
    case "NotContains":
      return Sdk.notContains(query.attribute, [...query.values])
    case "ContainsAll":
      return Sdk.containsAll(query.attribute, [...query.values])
    case "Search":
      return Sdk.search(query.attribute, query.value)
    case "NotSearch":
      return Sdk.notSearch(query.attribute, query.value)
    case "And":
      return Sdk.and(query.filters.map(toSdk))
    case "Or":
      return Sdk.or(query.filters.map(toSdk))
    case "OrderAsc":
      return Sdk.orderAsc(query.attribute)
    case "OrderRandom":
      return Sdk.orderRandom()
    case "OrderDesc":
      return Sdk.orderDesc(query.attribute)
    case "Limit":
      return Sdk.limit(query.count)
    case "Offset":
      return Sdk.offset(query.count)
    case "CursorAfter":
      return Sdk.cursorAfter(query.document)
    case "CursorBefore":
      return Sdk.cursorBefore(query.document)
    case "Select":
      return Sdk.select([...query.attributes])
  }
}

export const texts = (queries: ReadonlyArray<Query.Query>): Array<string> => queries.map(toSdk)
