/** Documents as JSON that SQLite writes, for lists that go out as they are. */
import type { Attribute } from "../../../Attribute.ts"
import type { Collection } from "../../../Collection.ts"
import { quote, type Sqlite } from "../../vendors/Sqlite.ts"
import type { Shape } from "../../vendors/JsonLists.ts"
import { systemColumns } from "./Columns.ts"

export const defineFunctions = (sqlite: Sqlite): void => {
  sqlite.defineOfNumber("json_number", (value) => JSON.stringify(value))
}

/** A text in SQL, whatever it holds. */
const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`

/**
 * A double as SQLite writes it, in digits enough to read back the same; whole ones without `.0`. `JSON.stringify`
 * writes those where one of the two takes an exponent and the other does not, and is slow to call.
 */
const float = (column: string): string => {
  const whole = `cast(${column} as integer)`
  return `case when ${column} is null then 'null' when ${column} = ${whole} and abs(${column}) < 1e15 then ${whole} when abs(${column}) not between 1e-4 and 1e14 then json_number(${column}) else ${column} end`
}

const value = (attribute: Attribute): string => {
  const column = quote(attribute.key)
  // Lists are kept as JSON.
  if (attribute.array) return `ifnull(${column}, '[]')`
  switch (attribute.kind) {
    case "boolean":
      return `case ${column} when 1 then 'true' when 0 then 'false' else 'null' end`
    case "integer":
    case "bigint":
      return `ifnull(${column}, 'null')`
    case "float":
      return float(column)
    default:
      return `json_quote(${column})`
  }
}

/** SQLite's functions take at least so many arguments, however it was built. */
const mostArguments = 100

/** A comma and one document as JSON text: an expression over its row. */
export const expression = (
  collection: Collection,
  isSelected: (key: string) => boolean,
  constants: Shape["constants"]
): string => {
  const [id, sequence, createdAt, updatedAt, permissions] = systemColumns.map(quote)
  // Ids, dates and numbers hold nothing to escape; permissions are kept as JSON.
  const parts: Array<string> = [
    `',{"$id":"'`,
    id!,
    `'","$sequence":"'`,
    sequence!,
    `'","$createdAt":"'`,
    createdAt!,
    `'","$updatedAt":"'`,
    updatedAt!,
    `'","$permissions":'`,
    permissions!
  ]
  for (const attribute of collection.attributes) {
    if (isSelected(attribute.key)) parts.push(literal(`,${JSON.stringify(attribute.key)}:`), value(attribute))
  }
  const more = Object.entries(constants).map(([key, text]) => `,${JSON.stringify(key)}:${JSON.stringify(text)}`)
  parts.push(literal(`${more.join("")}}`))
  const texts: Array<string> = []
  for (let from = 0; from < parts.length; from += mostArguments) {
    texts.push(`concat(${parts.slice(from, from + mostArguments).join(", ")})`)
  }
  return texts.join(" || ")
}
