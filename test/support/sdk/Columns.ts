/** Columns and indexes of the wire, and ours. */
import { type OrderBy, type TablesDB, type TablesDBIndexType } from "node-appwrite"
import type * as Attribute from "../../../src/Attribute.ts"
import type * as Index from "../../../src/Index.ts"
import { normalizeInteger } from "../../../src/internal/ExactJson.ts"

export interface Table {
  readonly databaseId: string
  readonly tableId: string
}

const [least64, greatest64] = [-(2n ** 63n), 2n ** 63n - 1n]
const greatest32 = 2 ** 31 - 1
const greatestFloat = Number.MAX_VALUE

/** The wire tells a column's width by its `max` alone. */
const greatestOf = (attribute: Attribute.Of<"integer">): number | bigint | null =>
  attribute.max ?? (attribute.bits === 32 ? greatest32 : null)

const value = <K extends string, A>(key: K, given: A | null): { readonly [P in K]?: A } =>
  (given === null ? {} : { [key]: given }) as { readonly [P in K]?: A }

export const create = (tables: TablesDB, table: Table, attribute: Attribute.Attribute): Promise<unknown> => {
  const common = { ...table, key: attribute.key, required: attribute.required, array: attribute.array }
  switch (attribute.kind) {
    case "string":
      return tables.createStringColumn({ ...common, size: attribute.size, ...value("xdefault", attribute.default) })
    case "varchar":
      return tables.createVarcharColumn({ ...common, size: attribute.size, ...value("xdefault", attribute.default) })
    case "text":
      return tables.createTextColumn({ ...common, ...value("xdefault", attribute.default) })
    case "mediumtext":
      return tables.createMediumtextColumn({ ...common, ...value("xdefault", attribute.default) })
    case "longtext":
      return tables.createLongtextColumn({ ...common, ...value("xdefault", attribute.default) })
    case "email":
      return tables.createEmailColumn({ ...common, ...value("xdefault", attribute.default) })
    case "url":
      return tables.createUrlColumn({ ...common, ...value("xdefault", attribute.default) })
    case "ip":
      return tables.createIpColumn({ ...common, ...value("xdefault", attribute.default) })
    case "datetime":
      return tables.createDatetimeColumn({ ...common, ...value("xdefault", attribute.default) })
    case "boolean":
      return tables.createBooleanColumn({ ...common, ...value("xdefault", attribute.default) })
    case "enum":
      return tables.createEnumColumn({
        ...common,
        elements: [...attribute.elements],
        ...value("xdefault", attribute.default)
      })
    case "integer":
      return tables.createIntegerColumn({
        ...common,
        ...value("min", attribute.min),
        ...value("max", greatestOf(attribute)),
        ...value("xdefault", attribute.default)
      })
    case "bigint":
      return tables.createBigIntColumn({
        ...common,
        ...value("min", attribute.min),
        ...value("max", attribute.max),
        ...value("xdefault", attribute.default)
      })
    case "float":
      return tables.createFloatColumn({
        ...common,
        ...value("min", attribute.min),
        ...value("max", attribute.max),
        ...value("xdefault", attribute.default)
      })
  }
}

/**
 * The whole definition. Bounds that are left out stay on the server, so those that shall go are sent as the widest
 * there are. `newKey` renames; then nothing else changes, and bounds are left out.
 */
export const update = (
  tables: TablesDB,
  table: Table,
  attribute: Attribute.Attribute,
  newKey?: string
): Promise<unknown> => {
  const renamed = value("newKey", newKey ?? null)
  const common = { ...table, key: attribute.key, required: attribute.required, ...renamed }
  // The SDK demands a default, of the column's own type; null is what takes it away.
  const text = attribute.default as string
  const keeps = newKey !== undefined
  switch (attribute.kind) {
    case "string":
      return tables.updateStringColumn({ ...common, xdefault: text, ...(keeps ? {} : { size: attribute.size }) })
    case "varchar":
      return tables.updateVarcharColumn({ ...common, xdefault: text, ...(keeps ? {} : { size: attribute.size }) })
    case "text":
      return tables.updateTextColumn({ ...common, xdefault: text })
    case "mediumtext":
      return tables.updateMediumtextColumn({ ...common, xdefault: text })
    case "longtext":
      return tables.updateLongtextColumn({ ...common, xdefault: text })
    case "email":
      return tables.updateEmailColumn({ ...common, xdefault: text })
    case "url":
      return tables.updateUrlColumn({ ...common, xdefault: text })
    case "ip":
      return tables.updateIpColumn({ ...common, xdefault: text })
    case "datetime":
      return tables.updateDatetimeColumn({ ...common, xdefault: text })
    case "boolean":
      return tables.updateBooleanColumn({ ...common, xdefault: attribute.default as boolean })
    case "enum":
      return tables.updateEnumColumn({ ...common, xdefault: text, elements: [...attribute.elements] })
    case "integer": {
      const bounds = { min: attribute.min ?? least64, max: greatestOf(attribute) ?? greatest64 }
      return tables.updateIntegerColumn({
        ...common,
        xdefault: attribute.default as number,
        ...(keeps ? {} : bounds)
      })
    }
    case "bigint": {
      const bounds = { min: attribute.min ?? least64, max: attribute.max ?? greatest64 }
      return tables.updateBigIntColumn({ ...common, xdefault: attribute.default as number, ...(keeps ? {} : bounds) })
    }
    case "float": {
      const bounds = { min: attribute.min ?? -greatestFloat, max: attribute.max ?? greatestFloat }
      return tables.updateFloatColumn({ ...common, xdefault: attribute.default as number, ...(keeps ? {} : bounds) })
    }
  }
}

/** Kinds that a table can be created with, as the wire calls them. An integer created so has 32 bits. */
const inlineTypes: { readonly [K in Attribute.Kind]?: { readonly type: string; readonly format?: string } } = {
  string: { type: "string" },
  bigint: { type: "bigint" },
  float: { type: "double" },
  boolean: { type: "boolean" },
  datetime: { type: "datetime" },
  email: { type: "string", format: "email" },
  url: { type: "string", format: "url" },
  ip: { type: "string", format: "ip" },
  enum: { type: "string", format: "enum" }
}
/** The column as a table is created with it; undefined where it has to be created by itself. */
export const inline = (attribute: Attribute.Attribute): object | undefined => {
  const { kind, ...rest } = attribute
  const type = kind === "integer" && attribute.bits === 32 ? { type: "integer" } : inlineTypes[kind]
  if (type === undefined) return undefined
  const { bits: _bits, ...shared } = rest as typeof rest & { readonly bits?: number }
  const widest = kind === "integer" ? value("max", greatestOf(attribute)) : {}
  return { ...Object.fromEntries(Object.entries(shared).filter(([, member]) => member !== null)), ...widest, ...type }
}

/** A column as it comes. */
export interface Column {
  readonly key: string
  readonly type: string
  readonly format?: string
  readonly status: string
  readonly required: boolean
  readonly array: boolean
  readonly default?: unknown
  readonly size?: number
  readonly min?: number | bigint | null
  readonly max?: number | bigint | null
  readonly elements?: ReadonlyArray<string>
}

const kindOf = ({ format, type }: Column): Attribute.Kind => {
  if (type === "double") return "float"
  return (type === "string" && format !== undefined && format !== "" ? format : type) as Attribute.Kind
}
/** The widest bound is none. */
const bound = (value: number | bigint | null | undefined, ...widest: ReadonlyArray<bigint | number>) =>
  value === undefined || value === null || widest.includes(value) ? null : value
const whole = (value: unknown) =>
  typeof value === "bigint" || typeof value === "number" ? normalizeInteger(value) : value

export const toAttribute = (column: Column): Attribute.Attribute => {
  const kind = kindOf(column)
  const { array, key, required } = column
  const common = { kind, key, required, array, default: column.default ?? null }
  const own = (): object => {
    switch (kind) {
      case "string":
      case "varchar":
        return { size: column.size }
      case "enum":
        return { elements: column.elements }
      case "integer": {
        const narrow = column.max !== undefined && column.max !== null && column.max <= greatest32
        const max = bound(column.max, greatest64, greatest32)
        return {
          min: whole(bound(column.min, least64)),
          max: whole(max),
          bits: narrow ? 32 : 64,
          default: whole(common.default)
        }
      }
      case "bigint":
        return {
          min: whole(bound(column.min, least64)),
          max: whole(bound(column.max, greatest64)),
          default: whole(common.default)
        }
      case "float": {
        const double = (value: unknown) => (value === null ? null : Number(value))
        return {
          min: double(bound(column.min, -greatestFloat)),
          max: double(bound(column.max, greatestFloat)),
          default: double(common.default)
        }
      }
      default:
        return {}
    }
  }
  return { ...common, ...own() } as Attribute.Attribute
}

/** An index as it comes. */
export interface WireIndex {
  readonly key: string
  readonly type: string
  readonly status: string
  readonly columns: ReadonlyArray<string>
  readonly orders?: ReadonlyArray<string>
  readonly lengths?: ReadonlyArray<number>
}

export const toIndex = ({ columns, key, lengths = [], orders = [], type }: WireIndex): Index.Index => {
  // A length of 0 is what the wire shows where none was given.
  const last = lengths.findLastIndex((length) => length !== 0)
  return {
    key,
    kind: type as Index.Kind,
    attributes: [...columns],
    orders: orders.map((order) => order.toLowerCase() as Index.Order),
    lengths: lengths.slice(0, last + 1)
  }
}

export const createIndex = (tables: TablesDB, table: Table, index: Index.Index): Promise<unknown> =>
  tables.createIndex({
    ...table,
    key: index.key,
    // Enums of the SDK whose values are these texts.
    type: index.kind as TablesDBIndexType,
    columns: [...index.attributes],
    orders: index.orders as Array<OrderBy>,
    lengths: [...index.lengths]
  })
export const inlineIndex = ({ attributes, key, kind, lengths, orders }: Index.Index): object => ({
  key,
  type: kind,
  attributes,
  ...(orders.length === 0 ? {} : { orders }),
  ...(lengths.length === 0 ? {} : { lengths })
})
