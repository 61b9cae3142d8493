/**
 * The attributes of a collection: one definition a key, as data, and the rules for the values that it takes.
 *
 * An attribute is written with a constructor (`Attribute.float("weight", { min: 0, max: 1 })`), kept by the server,
 * and checked at each write. `kind` is what Appwrite spreads over `type` and `format`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { codePoints } from "./internal/CodePoints.ts"
import { normalizeDateTime } from "./internal/DateTimeText.ts"
import { normalizeInteger, stringify } from "./internal/ExactJson.ts"
import { isEmail, isIp, isUrl } from "./internal/TextFormats.ts"

/** Each kind of attribute. Another one is a row in `rules` and a constructor; the compiler asks for the rest. */
export const Kind = Schema.Literals([
  "string",
  "varchar",
  "text",
  "mediumtext",
  "longtext",
  "email",
  "url",
  "ip",
  "enum",
  "integer",
  "bigint",
  "float",
  "boolean",
  "datetime"
])
export type Kind = typeof Kind.Type

/** One element of a value. A whole number beyond 2^53 is a bigint. */
export const Scalar = Schema.Union([Schema.String, Schema.Finite, Schema.BigInt, Schema.Boolean, Schema.Null])
export type Scalar = typeof Scalar.Type

/** What an attribute of a document holds: a scalar, null, or for arrays a list of scalars. */
export const Value = Schema.Union([Scalar, Schema.Array(Scalar)])
export type Value = typeof Value.Type

const common = {
  /** 1 to 36 of `a-z A-Z 0-9 . - _`, not starting with a sign. Compared without case. */
  key: Schema.String,
  /** A write without a value is refused; excludes a default. Default false. */
  required: Schema.Boolean,
  /** Holds a list of values; excludes a default. Default false. */
  array: Schema.Boolean
}
const Whole = Schema.Union([Schema.Finite, Schema.BigInt])
const texts = { ...common, default: Schema.NullOr(Schema.String) }
/** A double. Out of JSON that keeps whole numbers exactly, one of 2^53 or more comes as a bigint. */
const Double = Schema.Union([Schema.Finite, Schema.BigInt]).pipe(
  Schema.decodeTo(
    Schema.Finite,
    SchemaTransformation.transform<number, number | bigint>({ decode: Number, encode: (double) => double })
  )
)
const numbers = { ...common, min: Schema.NullOr(Double), max: Schema.NullOr(Double) }
const wholes = { ...common, min: Schema.NullOr(Whole), max: Schema.NullOr(Whole), default: Schema.NullOr(Whole) }
/** Most code points a value may have. */
const sized = { ...texts, size: Schema.Int }
/** `size`: fewer code points than the kind has, where the attribute came with its collection over HTTP; it stays. */
const formattedTexts = { ...texts, size: Schema.optionalKey(Schema.Int) }

/** A definition. `default` fills new documents only: those that exist keep null. */
export const Attribute = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("string"), ...sized }),
  Schema.Struct({ kind: Schema.Literal("varchar"), ...sized }),
  Schema.Struct({ kind: Schema.Literal("text"), ...texts }),
  Schema.Struct({ kind: Schema.Literal("mediumtext"), ...texts }),
  Schema.Struct({ kind: Schema.Literal("longtext"), ...texts }),
  Schema.Struct({ kind: Schema.Literal("email"), ...formattedTexts }),
  Schema.Struct({ kind: Schema.Literal("url"), ...formattedTexts }),
  Schema.Struct({ kind: Schema.Literal("ip"), ...formattedTexts }),
  Schema.Struct({
    kind: Schema.Literal("enum"),
    ...formattedTexts,
    /** The values allowed, compared exactly: up to 100 of 1 to 255 characters. */
    elements: Schema.Array(Schema.String)
  }),
  Schema.Struct({
    kind: Schema.Literal("integer"),
    ...wholes,
    /** How wide the server stores it: 32 or 64. */
    bits: Schema.Literals([32, 64])
  }),
  Schema.Struct({ kind: Schema.Literal("bigint"), ...wholes }),
  Schema.Struct({ kind: Schema.Literal("float"), ...numbers, default: Schema.NullOr(Double) }),
  Schema.Struct({ kind: Schema.Literal("boolean"), ...common, default: Schema.NullOr(Schema.Boolean) }),
  Schema.Struct({ kind: Schema.Literal("datetime"), ...texts })
])
export type Attribute = typeof Attribute.Type
export type Of<K extends Kind> = Extract<Attribute, { readonly kind: K }>

interface Common<A> {
  /** A write without a value is refused; excludes a default. Default false. */
  readonly required?: boolean | undefined
  /** Holds a list of values; excludes a default. Default false. */
  readonly array?: boolean | undefined
  /** Filled into new documents that leave the attribute out. Default null: nothing. */
  readonly default?: A | null | undefined
}
interface Bounds<A> extends Common<A> {
  /** Least value allowed. Default null: the least that the kind holds. */
  readonly min?: A | null | undefined
  /** Greatest value allowed. Default null: the greatest that the kind holds. */
  readonly max?: A | null | undefined
}
const shared = <A>(key: string, options: Common<A> | undefined) => ({
  key,
  required: options?.required ?? false,
  array: options?.array ?? false,
  default: options?.default ?? null
})
const bounded = <A>(key: string, options: Bounds<A> | undefined) => ({
  ...shared(key, options),
  min: options?.min ?? null,
  max: options?.max ?? null
})
const ofTexts =
  <K extends "text" | "mediumtext" | "longtext" | "email" | "url" | "ip" | "datetime">(kind: K) =>
  (key: string, options?: Common<string>) => ({ kind, ...shared(key, options) })

/** Text of up to `size` code points (1 to 1,073,741,824), kept exactly as written. */
export const string = (key: string, options: Common<string> & { readonly size: number }): Of<"string"> => ({
  kind: "string",
  ...shared(key, options),
  size: options.size
})
/** Text of up to `size` code points (1 to 16,381), kept inside the row. */
export const varchar = (key: string, options: Common<string> & { readonly size: number }): Of<"varchar"> => ({
  kind: "varchar",
  ...shared(key, options),
  size: options.size
})
/** Text of up to 65,535 bytes. */
export const text: (key: string, options?: Common<string>) => Of<"text"> = ofTexts("text")
/** Text of up to 16,777,215 bytes. */
export const mediumtext: (key: string, options?: Common<string>) => Of<"mediumtext"> = ofTexts("mediumtext")
/** Text of up to 4,294,967,295 bytes. */
export const longtext: (key: string, options?: Common<string>) => Of<"longtext"> = ofTexts("longtext")
/** An e-mail address. */
export const email: (key: string, options?: Common<string>) => Of<"email"> = ofTexts("email")
/** A URL with a scheme and a host, or a mail address. */
export const url: (key: string, options?: Common<string>) => Of<"url"> = ofTexts("url")
/** An IPv4 or IPv6 address. */
export const ip: (key: string, options?: Common<string>) => Of<"ip"> = ofTexts("ip")
/** An instant, kept to the millisecond in UTC: `2024-01-02T03:04:05.000+00:00`. */
export const datetime: (key: string, options?: Common<string>) => Of<"datetime"> = ofTexts("datetime")
/** One of `elements`. */
export const enumeration = (
  key: string,
  options: Common<string> & { readonly elements: ReadonlyArray<string> }
): Of<"enum"> => ({ kind: "enum", ...shared(key, options), elements: options.elements })

const greatest32 = 2 ** 31 - 1
/**
 * A whole number. The server stores it in 32 bits where `max` fits them, else in 64, and `bits` says so; values beyond
 * 2^53 are bigints.
 */
export const integer = (
  key: string,
  options?: Bounds<number | bigint> & { readonly bits?: 32 | 64 | undefined }
): Of<"integer"> => {
  const max = options?.max ?? null
  return {
    kind: "integer",
    ...bounded(key, options),
    bits: options?.bits ?? (max !== null && max <= greatest32 ? 32 : 64)
  }
}
/** A whole number of 64 bits; a text of digits is taken as well. */
export const bigint = (key: string, options?: Bounds<number | bigint>): Of<"bigint"> => ({
  kind: "bigint",
  ...bounded(key, options)
})
/** A finite double. */
export const float = (key: string, options?: Bounds<number>): Of<"float"> => ({
  kind: "float",
  ...bounded(key, options)
})
/** True or false. */
export const boolean = (key: string, options?: Common<boolean>): Of<"boolean"> => ({
  kind: "boolean",
  ...shared(key, options)
})

/** Kinds that hold text, which compares under the collation. */
export const textKinds: ReadonlySet<Kind> = new Set<Kind>([
  "string",
  "varchar",
  "text",
  "mediumtext",
  "longtext",
  "email",
  "url",
  "ip",
  "enum"
])

interface Rule<A extends Attribute> {
  /** The value as stored, or what it should have been. */
  readonly scalar: (attribute: A, value: unknown) => Result.Result<string | number | bigint | boolean, string>
  /** What is wrong with the definition itself, its default aside. */
  readonly definition: (attribute: A) => string | undefined
}

type Numeric = Of<"integer"> | Of<"bigint"> | Of<"float">

const inBounds = <A extends number | bigint>({ max, min }: Numeric, value: A): Result.Result<A, string> =>
  (min !== null && value < min) || (max !== null && value > max)
    ? Result.fail(`expected a number between ${min ?? "the least"} and ${max ?? "the greatest"} possible`)
    : Result.succeed(value)
const ordered = ({ max, min }: Numeric) =>
  min !== null && max !== null && min > max ? `min ${min} is greater than max ${max}` : undefined

const wellFormed = (value: unknown, most: number): Result.Result<string, string> => {
  if (typeof value !== "string") return Result.fail(`expected a string of at most ${most} characters`)
  if (value.length > most && codePoints(value) > most) {
    return Result.fail(`expected at most ${most} characters, got ${codePoints(value)}`)
  }
  return value.isWellFormed()
    ? Result.succeed(value)
    : Result.fail("expected well-formed Unicode, got a lone surrogate")
}
const anything = () => undefined
const greatestSize = 1_073_741_824
const texted = <A extends Attribute>(most: number): Rule<A> => ({
  scalar: (_, value) => wellFormed(value, most),
  definition: anything
})
/** Undefined where the size can be; a text with a format has one only where it was given. */
const sizeProblem = (size: number | undefined, most: number): string | undefined =>
  size === undefined || (Number.isInteger(size) && size >= 1 && size <= most)
    ? undefined
    : `size must be between 1 and ${most.toLocaleString("en")}, got ${size}`
const sizedText = <A extends Of<"string"> | Of<"varchar">>(most: number): Rule<A> => ({
  scalar: ({ size }, value) => wellFormed(value, size),
  definition: ({ size }) => sizeProblem(size, most)
})
const formatted = <A extends Of<"email"> | Of<"url"> | Of<"ip">>(
  most: number,
  what: string,
  fits: (text: string) => boolean
): Rule<A> => ({
  scalar: ({ size }, value) =>
    Result.flatMap(wellFormed(value, size ?? most), (text) =>
      fits(text) ? Result.succeed(text) : Result.fail(`expected ${what}`)
    ),
  definition: ({ size }) => sizeProblem(size, greatestSize)
})

const limit32 = 2n ** 31n
const limit64 = 2n ** 63n
const wholeNumber = (
  attribute: Of<"integer"> | Of<"bigint">,
  value: unknown,
  limit: bigint
): Result.Result<number | bigint, string> => {
  const whole = typeof value === "bigint" ? value : Number.isSafeInteger(value) ? BigInt(value as number) : undefined
  if (whole === undefined) return Result.fail("expected a whole number; beyond 2^53 as a bigint")
  if (whole < -limit || whole >= limit) return Result.fail(`expected between ${-limit} and ${limit - 1n}`)
  return inBounds(attribute, normalizeInteger(whole))
}
const wholeBounds = (attribute: Of<"integer"> | Of<"bigint">) =>
  [attribute.min, attribute.max].some((bound) => typeof bound === "number" && !Number.isSafeInteger(bound))
    ? "min and max must be whole numbers; beyond 2^53 as bigints"
    : ordered(attribute)

const rules: { readonly [K in Kind]: Rule<Of<K>> } = {
  string: sizedText(greatestSize),
  varchar: sizedText(16_381),
  text: texted(65_535),
  mediumtext: texted(16_777_215),
  longtext: texted(4_294_967_295),
  email: formatted(254, "an e-mail address", isEmail),
  url: formatted(2000, "a URL", isUrl),
  ip: formatted(39, "an IP address", isIp),
  enum: {
    scalar: ({ elements, size }, value) =>
      typeof value !== "string" || !elements.includes(value)
        ? Result.fail(`expected one of ${elements.map((element) => JSON.stringify(element)).join(", ")}`)
        : wellFormed(value, size ?? 255),
    definition: ({ elements, size }) =>
      elements.length > 100
        ? `at most 100 elements, got ${elements.length}`
        : elements.some((element) => element.length === 0 || codePoints(element) > 255)
          ? "each element must have 1 to 255 characters"
          : sizeProblem(size, greatestSize)
  },
  integer: {
    scalar: (attribute, value) => wholeNumber(attribute, value, attribute.bits === 32 ? limit32 : limit64),
    definition: wholeBounds
  },
  bigint: {
    scalar: (attribute, value) =>
      wholeNumber(attribute, typeof value === "string" && /^-?\d{1,20}$/.test(value) ? BigInt(value) : value, limit64),
    definition: wholeBounds
  },
  float: {
    scalar: (attribute, value) => {
      const double = typeof value === "bigint" ? Number(value) : value
      return typeof double === "number" && Number.isFinite(double)
        ? // The server keeps no negative zero.
          inBounds(attribute, double === 0 ? 0 : double)
        : Result.fail("expected a finite number")
    },
    definition: (attribute) =>
      [attribute.min, attribute.max].some((bound) => bound !== null && !Number.isFinite(bound))
        ? "min and max must be finite"
        : ordered(attribute)
  },
  boolean: {
    scalar: (_, value) => (typeof value === "boolean" ? Result.succeed(value) : Result.fail("expected true or false")),
    definition: anything
  },
  datetime: {
    scalar: (_, value) => {
      const normal = typeof value === "string" ? normalizeDateTime(value) : undefined
      return normal === undefined
        ? Result.fail("expected an ISO 8601 date and time between the years 1000 and 9999")
        : Result.succeed(normal)
    },
    definition: anything
  }
}

// The one place where a kind meets its rule; the record above is complete by type, so the pair always fits.
const ruleOf = (attribute: Attribute) => rules[attribute.kind] as Rule<Attribute>

/**
 * The value as the server keeps it, or a sentence that says what was expected.
 * Null is kept for scalars; a list's null is an empty list, and its elements follow the server: integers become 0,
 * booleans false, others stay null.
 */
export const check = (attribute: Attribute, value: unknown): Result.Result<Value, string> => {
  if (!attribute.array) return value === null ? Result.succeed(null) : ruleOf(attribute).scalar(attribute, value)
  if (value === null) return Result.succeed([])
  if (!Array.isArray(value)) return Result.fail("expected a list")
  const stored: Array<Scalar> = []
  for (const [index, element] of value.entries()) {
    if (element === null) {
      const isWhole = attribute.kind === "integer" || attribute.kind === "bigint"
      stored.push(isWhole ? 0 : attribute.kind === "boolean" ? false : null)
      continue
    }
    const one = ruleOf(attribute).scalar(attribute, element)
    if (Result.isFailure(one)) return Result.fail(`element ${index}: ${one.failure}`)
    stored.push(one.success)
  }
  return Result.succeed(stored)
}

/** What is wrong with a definition, with Appwrite's name for it. */
export interface Problem {
  readonly type: "general_argument_invalid" | "column_value_invalid" | "column_default_unsupported"
  readonly detail: string
}

/** A default of another type than its attribute's is a bad argument; one out of range a bad value. */
const defaultType = (attribute: Attribute): Problem["type"] => {
  const { default: value, kind } = attribute
  const fits =
    kind === "integer" || kind === "bigint"
      ? typeof value === "bigint" || Number.isInteger(value)
      : kind === "float"
        ? Number.isFinite(value)
        : (kind === "string" || kind === "varchar" || kind === "enum") && typeof value === "string"
  return fits ? "column_value_invalid" : "general_argument_invalid"
}

/**
 * What is wrong with a definition, or undefined. As recorded, an update may give a string a default that is longer
 * than its size; documents created without a value are then refused.
 */
export const problem = (attribute: Attribute, options?: { readonly isUpdate?: boolean }): Problem | undefined => {
  const own = ruleOf(attribute).definition(attribute)
  if (own !== undefined) {
    return {
      type: textKinds.has(attribute.kind) ? "general_argument_invalid" : "column_value_invalid",
      detail: own
    }
  }
  if (attribute.default === null) return undefined
  if (attribute.required || attribute.array) {
    const what = attribute.required ? "a required attribute" : "an array"
    return { type: "column_default_unsupported", detail: `${what} takes no default: set default to null` }
  }
  if (options?.isUpdate === true && attribute.kind === "string" && attribute.default.isWellFormed()) return undefined
  const fits = ruleOf(attribute).scalar(attribute, attribute.default)
  return Result.isFailure(fits)
    ? { type: defaultType(attribute), detail: `default ${stringify(attribute.default)}: ${fits.failure}` }
    : undefined
}
