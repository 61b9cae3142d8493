/**
 * The attributes of a collection: one definition a key, as data, and the rules for the values that it takes.
 *
 * An attribute is written with a constructor (`Attribute.float("weight", { min: 0, max: 1 })`), kept by the server,
 * and checked at each write. `kind` is what Appwrite spreads over `type` and `format`.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { normalizeDateTime } from "./internal/DateTimeText.ts"

/** Each kind of attribute. Another one is a row in `rules` and a constructor; the compiler asks for the rest. */
export const Kind = Schema.Literals(["string", "integer", "float", "boolean", "datetime", "enum"])
export type Kind = typeof Kind.Type

/** One element of a value as the wire knows it. */
export const Scalar = Schema.Union([Schema.String, Schema.Finite, Schema.Boolean, Schema.Null])
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
const bounds = { min: Schema.NullOr(Schema.Finite), max: Schema.NullOr(Schema.Finite) }

/** A definition. `default` fills new documents only: those that exist keep null. */
export const Attribute = Schema.Union([
  Schema.Struct({
    kind: Schema.Literal("string"),
    ...common,
    /** Most code points a value may have: 1 to 1,073,741,824. */
    size: Schema.Int,
    default: Schema.NullOr(Schema.String)
  }),
  Schema.Struct({ kind: Schema.Literal("integer"), ...common, ...bounds, default: Schema.NullOr(Schema.Finite) }),
  Schema.Struct({ kind: Schema.Literal("float"), ...common, ...bounds, default: Schema.NullOr(Schema.Finite) }),
  Schema.Struct({ kind: Schema.Literal("boolean"), ...common, default: Schema.NullOr(Schema.Boolean) }),
  Schema.Struct({ kind: Schema.Literal("datetime"), ...common, default: Schema.NullOr(Schema.String) }),
  Schema.Struct({
    kind: Schema.Literal("enum"),
    ...common,
    /** The values allowed, compared exactly: up to 100 of 1 to 255 characters. */
    elements: Schema.Array(Schema.String),
    default: Schema.NullOr(Schema.String)
  })
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
interface Bounds extends Common<number> {
  /** Least value allowed. Default null: the least that the kind holds. */
  readonly min?: number | null | undefined
  /** Greatest value allowed. Default null: the greatest that the kind holds. */
  readonly max?: number | null | undefined
}
const shared = <A>(key: string, options: Common<A> | undefined) => ({
  key,
  required: options?.required ?? false,
  array: options?.array ?? false,
  default: options?.default ?? null
})
const bounded = (key: string, options: Bounds | undefined) => ({
  ...shared(key, options),
  min: options?.min ?? null,
  max: options?.max ?? null
})

/** Text of up to `size` code points, kept exactly as written. */
export const string = (key: string, options: Common<string> & { readonly size: number }): Of<"string"> => ({
  kind: "string",
  ...shared(key, options),
  size: options.size
})
/** A whole number that a JavaScript number holds exactly: at most 2^53 - 1 either way. */
export const integer = (key: string, options?: Bounds): Of<"integer"> => ({ kind: "integer", ...bounded(key, options) })
/** A finite double. */
export const float = (key: string, options?: Bounds): Of<"float"> => ({ kind: "float", ...bounded(key, options) })
/** True or false. */
export const boolean = (key: string, options?: Common<boolean>): Of<"boolean"> => ({
  kind: "boolean",
  ...shared(key, options)
})
/** An instant, kept to the millisecond in UTC: `2024-01-02T03:04:05.000+00:00`. */
export const datetime = (key: string, options?: Common<string>): Of<"datetime"> => ({
  kind: "datetime",
  ...shared(key, options)
})
/** One of `elements`. */
export const enumeration = (
  key: string,
  options: Common<string> & { readonly elements: ReadonlyArray<string> }
): Of<"enum"> => ({ kind: "enum", ...shared(key, options), elements: options.elements })

/** Number of code points, which is what sizes count. */
export const codePoints = (text: string): number => {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit < 0xdc00) index++
    count++
  }
  return count
}

interface Rule<A extends Attribute> {
  /** The value as stored, or what it should have been. */
  readonly scalar: (attribute: A, value: unknown) => Result.Result<string | number | boolean, string>
  /** What is wrong with the definition itself, its default aside. */
  readonly definition: (attribute: A) => string | undefined
}

const inBounds = (attribute: Of<"integer"> | Of<"float">, value: number): Result.Result<number, string> => {
  const { min, max } = attribute
  if ((min !== null && value < min) || (max !== null && value > max)) {
    return Result.fail(`expected a number between ${min ?? "the least"} and ${max ?? "the greatest"} possible`)
  }
  // The server keeps no negative zero.
  return Result.succeed(value === 0 ? 0 : value)
}
const ordered = ({ min, max }: Of<"integer"> | Of<"float">) =>
  min !== null && max !== null && min > max ? `min ${min} is greater than max ${max}` : undefined

const rules: { readonly [K in Kind]: Rule<Of<K>> } = {
  string: {
    scalar: ({ size }, value) =>
      typeof value !== "string"
        ? Result.fail(`expected a string of at most ${size} characters`)
        : codePoints(value) > size
          ? Result.fail(`expected at most ${size} characters, got ${codePoints(value)}`)
          : value.isWellFormed()
            ? Result.succeed(value)
            : Result.fail("expected well-formed Unicode, got a lone surrogate"),
    definition: ({ size }) =>
      Number.isInteger(size) && size >= 1 && size <= 1_073_741_824
        ? undefined
        : `size must be between 1 and 1,073,741,824, got ${size}`
  },
  integer: {
    scalar: (attribute, value) =>
      typeof value === "number" && Number.isSafeInteger(value)
        ? inBounds(attribute, value)
        : Result.fail("expected a whole number of at most 2^53 - 1 either way"),
    definition: (attribute) =>
      [attribute.min, attribute.max].some((bound) => bound !== null && !Number.isSafeInteger(bound))
        ? "min and max must be whole numbers of at most 2^53 - 1 either way"
        : ordered(attribute)
  },
  float: {
    scalar: (attribute, value) =>
      typeof value === "number" && Number.isFinite(value)
        ? inBounds(attribute, value)
        : Result.fail("expected a finite number"),
    definition: (attribute) =>
      [attribute.min, attribute.max].some((bound) => bound !== null && !Number.isFinite(bound))
        ? "min and max must be finite"
        : ordered(attribute)
  },
  boolean: {
    scalar: (_, value) => (typeof value === "boolean" ? Result.succeed(value) : Result.fail("expected true or false")),
    definition: () => undefined
  },
  datetime: {
    scalar: (_, value) => {
      const normal = typeof value === "string" ? normalizeDateTime(value) : undefined
      return normal === undefined
        ? Result.fail("expected an ISO 8601 date and time between the years 1000 and 9999")
        : Result.succeed(normal)
    },
    definition: () => undefined
  },
  enum: {
    scalar: ({ elements }, value) =>
      typeof value === "string" && elements.includes(value)
        ? Result.succeed(value)
        : Result.fail(`expected one of ${elements.map((element) => JSON.stringify(element)).join(", ")}`),
    definition: ({ elements }) =>
      elements.length > 100
        ? `at most 100 elements, got ${elements.length}`
        : elements.some((element) => element.length === 0 || codePoints(element) > 255)
          ? "each element must have 1 to 255 characters"
          : undefined
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
      stored.push(attribute.kind === "integer" ? 0 : attribute.kind === "boolean" ? false : null)
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

const argumentKinds: ReadonlySet<Kind> = new Set(["string", "enum"])

/** A default of another type than its attribute's is a bad argument; one out of range a bad value. */
const defaultType = (attribute: Attribute): Problem["type"] => {
  switch (attribute.kind) {
    case "integer":
      return Number.isInteger(attribute.default) ? "column_value_invalid" : "general_argument_invalid"
    case "float":
      return Number.isFinite(attribute.default) ? "column_value_invalid" : "general_argument_invalid"
    case "string":
    case "enum":
      return typeof attribute.default === "string" ? "column_value_invalid" : "general_argument_invalid"
    case "boolean":
    case "datetime":
      return "general_argument_invalid"
  }
}

/** What is wrong with a definition, or undefined. */
export const problem = (attribute: Attribute): Problem | undefined => {
  const own = ruleOf(attribute).definition(attribute)
  if (own !== undefined) {
    return {
      type: argumentKinds.has(attribute.kind) ? "general_argument_invalid" : "column_value_invalid",
      detail: own
    }
  }
  if (attribute.default === null) return undefined
  if (attribute.required || attribute.array) {
    const what = attribute.required ? "a required attribute" : "an array"
    return { type: "column_default_unsupported", detail: `${what} takes no default: set default to null` }
  }
  const fits = ruleOf(attribute).scalar(attribute, attribute.default)
  return Result.isFailure(fits)
    ? { type: defaultType(attribute), detail: `default ${JSON.stringify(attribute.default)}: ${fits.failure}` }
    : undefined
}

/** Bytes of a row, at most; an empty one has `rowBase`. */
export const rowLimit = 65_535
export const rowBase = 1067

/** Bytes that an attribute takes of its row. Long texts and lists lie outside it, but for their pointer. */
export const rowWidth = (attribute: Attribute): number => {
  if (attribute.array) return 20
  switch (attribute.kind) {
    case "string":
      return textWidth(attribute.size)
    case "enum":
      return textWidth(Math.max(1, ...attribute.elements.map(codePoints)))
    case "integer":
    case "float":
      return 8
    case "datetime":
      return 7
    case "boolean":
      return 1
  }
}
const textWidth = (size: number): number => (size > 16_381 ? 20 : size * 4 + (size > 63 ? 2 : 1))
