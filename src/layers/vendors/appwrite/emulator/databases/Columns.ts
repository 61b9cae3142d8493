/** Columns on the wire: what a call asks for as an attribute of ours, and how a column is shown. */
import * as Attribute from "../../../../../Attribute.ts"
import { codePoints } from "../../../../../internal/CodePoints.ts"
import * as Result from "effect/Result"
import * as ApiFailure from "../ApiFailure.ts"
import type * as Fields from "../Fields.ts"
import * as Json from "../Json.ts"
import * as Parameters from "./Parameters.ts"
import type { Vocabulary } from "./Vocabulary.ts"

const { make: failure } = ApiFailure

/** The routes of columns, by the kind they make. */
export const kinds = {
  string: "string",
  varchar: "varchar",
  text: "text",
  mediumtext: "mediumtext",
  longtext: "longtext",
  integer: "integer",
  bigint: "bigint",
  float: "float",
  boolean: "boolean",
  datetime: "datetime",
  email: "email",
  url: "url",
  ip: "ip",
  enum: "enum"
} as const satisfies { readonly [K in Attribute.Kind]: K }
export type WireKind = keyof typeof kinds

/** `type` and `format` as the server shows them. */
const shown: { readonly [K in Attribute.Kind]: { readonly type: string; readonly format?: string } } = {
  string: { type: "string" },
  varchar: { type: "varchar" },
  text: { type: "text" },
  mediumtext: { type: "mediumtext" },
  longtext: { type: "longtext" },
  integer: { type: "integer" },
  bigint: { type: "bigint" },
  float: { type: "double" },
  boolean: { type: "boolean" },
  datetime: { type: "datetime", format: "" },
  email: { type: "string", format: "email" },
  url: { type: "string", format: "url" },
  ip: { type: "string", format: "ip" },
  enum: { type: "string", format: "enum" }
}

const least64 = -(2n ** 63n)
const greatest64 = 2n ** 63n - 1n

/** What a column shows beside what it shares with all others. */
const own = (attribute: Attribute.Attribute): object => {
  switch (attribute.kind) {
    case "string":
    case "varchar":
      return { size: attribute.size, encrypt: false }
    case "text":
    case "mediumtext":
    case "longtext":
      return { encrypt: false }
    case "integer":
    case "bigint":
      return { min: attribute.min ?? least64, max: attribute.max ?? greatest64 }
    case "float":
      return { min: attribute.min ?? -Number.MAX_VALUE, max: attribute.max ?? Number.MAX_VALUE }
    case "enum":
      return { elements: attribute.elements, format: "enum" }
    default:
      return {}
  }
}

export interface Settled {
  readonly $createdAt: string
  readonly $updatedAt: string
  readonly status: string
  /** A default as it was typed, where the store keeps another form. */
  readonly default?: unknown
  /** How `encrypt` is shown: false at the creation, null for some kinds later. */
  readonly encrypt?: false | null
}

/** A column as the server shows it. */
export const show = (attribute: Attribute.Attribute, settled: Settled) => {
  const { format, type } = shown[attribute.kind]
  return {
    key: attribute.key,
    type,
    status: settled.status,
    error: "",
    required: attribute.required,
    array: attribute.array,
    $createdAt: settled.$createdAt,
    $updatedAt: settled.$updatedAt,
    ...(format === undefined ? {} : { format }),
    ...own(attribute),
    ...("encrypt" in own(attribute) && settled.encrypt !== undefined ? { encrypt: settled.encrypt } : {}),
    default: settled.default === undefined ? attribute.default : settled.default
  }
}

/** Kinds whose `encrypt` is null but at their creation. */
export const encryptsNull: ReadonlySet<Attribute.Kind> = new Set<Attribute.Kind>([
  "varchar",
  "text",
  "mediumtext",
  "longtext"
])

const numeric = (value: unknown, name: string, rule: string): number | bigint | null => {
  if (value === undefined || value === null) return null
  const number = Parameters.number(value)
  if (number === undefined) throw ApiFailure.invalidParameter(name, rule)
  return number
}

const integerRule =
  "Value must be a valid signed 64-bit integer between -9,223,372,036,854,775,808 and 9,223,372,036,854,775,808 or null"

const bounds = (input: Fields.Fields, whole: boolean) => {
  const rule = whole ? integerRule : "Value must be a valid number or null"
  return { min: numeric(input["min"], "min", rule), max: numeric(input["max"], "max", rule) }
}

const elements = (input: Fields.Fields): ReadonlyArray<string> => {
  const value = Parameters.required(input, "elements")
  const fits = (one: unknown) => typeof one === "string" && one.length > 0 && codePoints(one) <= 255
  if (!Array.isArray(value) || value.length > 100 || !value.every(fits)) {
    throw ApiFailure.invalidParameter(
      "elements",
      "Value must a valid array no longer than 100 items and Value must be a valid string and at least 1 chars and no longer than 255 chars"
    )
  }
  return value as ReadonlyArray<string>
}

/** The default as it was sent; a number that is whole but was not written so is none for an integer. */
const defaultOf = (kind: Attribute.Kind, value: unknown): unknown => {
  if (value === undefined) return null
  if (value instanceof Json.Decimal && (kind === "integer" || kind === "bigint")) {
    throw ApiFailure.invalidParameter("default", integerRule)
  }
  return Json.plain(value)
}

const refuseDefinition = (vocabulary: Vocabulary, attribute: Attribute.Attribute): void => {
  const problem = Attribute.problem(attribute)
  if (problem === undefined) return
  const name = vocabulary.column.toLowerCase()
  if (problem.type === "column_default_unsupported") {
    const message = `Cannot set default value for ${attribute.required ? `required ${name}` : `array ${name}s`}`
    throw failure(400, vocabulary.type(problem.type), message)
  }
  throw failure(400, vocabulary.type(problem.type), problem.detail)
}

/** What a creation asks for. */
export const fromCreation = (
  vocabulary: Vocabulary,
  kind: Attribute.Kind,
  input: Fields.Fields
): Attribute.Attribute => {
  const common = {
    key: Parameters.id(input, "key"),
    ...("size" in input || kind === "string" || kind === "varchar" ? sizeOf(kind, input) : {}),
    required: Parameters.strictBoolean(input, "required"),
    array: Parameters.optional(input, "array", Parameters.strictBoolean) ?? false,
    default: defaultOf(kind, input["default"])
  }
  const attribute = build(kind, common, input)
  if (input["encrypt"] === true && "size" in attribute && attribute.size < 150) {
    throw failure(
      400,
      "general_bad_request",
      "Size too small. Encrypted strings require a minimum size of 150 characters."
    )
  }
  refuseDefinition(vocabulary, attribute)
  return attribute
}

const sizeOf = (kind: Attribute.Kind, input: Fields.Fields) =>
  kind === "string" || kind === "varchar"
    ? { size: Parameters.integer(input, "size", 1, kind === "varchar" ? 16_381 : 1_073_741_824) }
    : {}

/** An attribute of this kind, out of its common part and what the kind adds. */
const build = (kind: Attribute.Kind, common: object, input: Fields.Fields): Attribute.Attribute => {
  const added = (): object => {
    switch (kind) {
      case "integer": {
        const { max, min } = bounds(input, true)
        return { min, max, bits: max !== null && max <= 2 ** 31 - 1 ? 32 : 64 }
      }
      case "bigint":
        return bounds(input, true)
      case "float": {
        const { max, min } = bounds(input, false)
        return { min: min === null ? null : Number(min), max: max === null ? null : Number(max) }
      }
      case "enum":
        return { elements: elements(input) }
      default:
        return {}
    }
  }
  return { ...common, ...added(), kind } as Attribute.Attribute
}

/** Types of columns that a table may be created with. */
const inlineKind = ({ format, type }: { readonly [key: string]: unknown }): Attribute.Kind | undefined => {
  if (type === "string")
    return format === "email" || format === "url" || format === "ip" || format === "enum" ? format : "string"
  if (type === "double") return "float"
  return type === "integer" || type === "bigint" || type === "boolean" || type === "datetime" ? type : undefined
}

const bad = (message: string) => failure(400, "general_argument_invalid", message)

/** A column that a table is created with. */
export const fromInline = (definition: unknown): Attribute.Attribute => {
  if (typeof definition !== "object" || definition === null) throw bad("Each attribute must be an array")
  const input = definition as Fields.Fields
  const { key, size } = input
  if (!Parameters.isId(key)) throw bad(`Invalid attribute key: ${String(key)}`)
  const kind = inlineKind(input)
  if (kind === undefined) throw bad(`Invalid type for attribute '${key}': ${String(input["type"])}`)
  const isSized = kind === "string"
  if (isSized && (typeof size !== "number" || size < 1 || size > 1_073_741_824)) {
    throw bad(`Invalid or missing size for string attribute '${key}'. Size must be between 1 and 1073741824`)
  }
  const isFormatted = !isSized && input["type"] === "string" && size !== undefined && size !== null
  const common = {
    key,
    required: input["required"] === true,
    array: input["array"] === true,
    default: defaultOf(kind, input["default"]),
    ...(isSized || isFormatted ? { size } : {})
  }
  const attribute = build(kind, common, input)
  const inline = attribute.kind === "integer" ? { ...attribute, bits: 32 as const } : attribute
  const problem = Attribute.problem(inline)
  if (problem !== undefined) throw bad(`Attribute '${key}': ${problem.detail}`)
  return inline
}

/** What an update asks for; the kind is the stored one's, whatever the route. */
export const fromUpdate = (
  vocabulary: Vocabulary,
  route: WireKind,
  current: Attribute.Attribute,
  input: Fields.Fields,
  quirks: boolean
): { readonly attribute: Attribute.Attribute; readonly newKey: string | undefined } => {
  const required = Parameters.strictBoolean(input, "required")
  if (!("default" in input)) throw ApiFailure.missingParameter("default")
  const value = defaultOf(current.kind, input["default"])
  const newKey = Parameters.optional(input, "newKey", Parameters.id)
  const merged = { ...current, required, default: value, ...changed(route, current, input) } as Attribute.Attribute
  if (required && value !== null) refuseDefinition(vocabulary, merged)
  // The store keeps a default that nobody asks for any more; the column shows none.
  const attribute =
    quirks && value === null && !required && current.default !== null
      ? ({ ...merged, default: current.default } as Attribute.Attribute)
      : merged
  const problem = Attribute.problem(attribute, { isUpdate: true })
  if (problem !== undefined) throw failure(400, vocabulary.type(problem.type), problem.detail)
  if (attribute.kind === "enum" && attribute.elements.length === 0) {
    throw failure(400, vocabulary.type("column_value_invalid"), "Enum elements must not be empty")
  }
  return { attribute, newKey }
}

/** Bounds that are left out stay; those of another type's route are not looked at. */
const changed = (route: WireKind, current: Attribute.Attribute, input: Fields.Fields): object => {
  if (route !== current.kind) return {}
  switch (current.kind) {
    case "string":
    case "varchar":
      return input["size"] === undefined || input["size"] === null ? {} : sizeOf(current.kind, input)
    case "integer":
    case "bigint":
    case "float": {
      const { max, min } = bounds(input, current.kind !== "float")
      return { min: min ?? current.min, max: max ?? current.max }
    }
    case "enum":
      return { elements: elements(input) }
    default:
      return {}
  }
}

export const fits = (attribute: Attribute.Attribute, value: unknown): boolean =>
  Result.isSuccess(Attribute.check(attribute, value))
