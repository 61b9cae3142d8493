/** What a generated command chooses from, and the values that its numbers and texts become. */
import * as Attribute from "../../src/Attribute.ts"
import type { Command } from "./Commands.ts"

/** Few of each, some alike but for their case, so that they collide. */
export const collectionIds = ["c", "C", "d", "other"]
export const keys = ["a", "A", "b", "text", "k".repeat(36), "K".repeat(35)]
export const documentIds = ["x", "X", "y", "z", "x-1", "constructor"]
export const databaseIds = ["second", "SECOND", "third"]
export const permissions = [[], ['read("any")'], ['update("user:ada")', 'read("users")']]
export const dates = ["2001-02-03T04:05:06.789Z", "1999-12-31T23:59:59+02:00"]

export const at = <A>(list: ReadonlyArray<A>, choice: number): A | undefined => list[choice % list.length]
export const byId = <A extends { readonly $id: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((left, right) => (left.$id < right.$id ? -1 : 1))
export const byKey = <A extends { readonly key: string }>(all: ReadonlyArray<A>): ReadonlyArray<A> =>
  all.toSorted((left, right) => (left.key < right.key ? -1 : 1))

/** Values of the kinds that take only some texts, a few of them alike but for their case. */
const formatted = {
  email: ["ada@example.org", "ADA@example.org", "bob@example.org"],
  url: ["https://example.org/a", "https://example.org/A", "mailto:ada@example.org"],
  ip: ["127.0.0.1", "::1", "2001:DB8::1"]
} as const
/** Words that a full-text index finds, between those that are generated. */
export const words = ["turtle", "soup", "Schildkröte", "the"]

/** A whole number of 64 bits, most of them beyond 2^53. */
export const wide = ({ choices, numbers }: Command, shift: number): number | bigint =>
  choices[shift % 4]! % 5 === 0 ? numbers[1] : BigInt(numbers[1]) * 2n ** 58n + BigInt(choices[(shift + 1) % 4]! % 3)

export const absolute = (whole: number | bigint): number | bigint => (whole < 0 ? -whole : whole)

/** What all texts share: some are required, some have a default. */
const filled = ({ choices, texts }: Command, array: boolean, start = texts[2]!) => {
  const required = choices[3] % 5 === 0
  return { required, array, default: required || array || choices[3] % 3 > 0 ? null : start }
}

export const makers: {
  readonly [K in Attribute.Kind]: (key: string, command: Command, array: boolean) => Attribute.Attribute
} = {
  string: (key, command, array) =>
    Attribute.string(key, { size: 8 + (command.choices[2] % 9), ...filled(command, array) }),
  varchar: (key, command, array) =>
    Attribute.varchar(key, { size: 8 + (command.choices[2] % 9), ...filled(command, array) }),
  text: (key, command, array) => Attribute.text(key, filled(command, array)),
  mediumtext: (key, command, array) => Attribute.mediumtext(key, filled(command, array)),
  longtext: (key, command, array) => Attribute.longtext(key, filled(command, array)),
  email: (key, command, array) => Attribute.email(key, filled(command, array, formatted.email[0])),
  url: (key, command, array) => Attribute.url(key, filled(command, array, formatted.url[0])),
  ip: (key, command, array) => Attribute.ip(key, filled(command, array, formatted.ip[0])),
  bigint: (key, command, array) =>
    Attribute.bigint(key, {
      array,
      min: command.choices[2] % 4 === 0 ? -(2n ** 62n) : null,
      max: command.choices[3] % 4 === 0 ? 2n ** 62n : null,
      default: array || command.choices[3] % 3 > 0 ? null : 2n ** 60n + BigInt(command.choices[2])
    }),
  integer: (key, { choices, numbers }, array) =>
    Attribute.integer(key, {
      array,
      min: choices[2] % 2 === 0 ? null : Math.min(-5, numbers[1]),
      max: choices[3] % 2 === 0 ? null : Math.max(5, numbers[1]),
      default: array || choices[3] % 3 > 0 ? null : 1
    }),
  float: (key, { choices, numbers }, array) =>
    Attribute.float(key, { array, min: choices[2] % 3 === 0 ? Math.min(0, numbers[0]) : null }),
  boolean: (key, { choices }, array) => Attribute.boolean(key, { array, required: choices[2] % 3 === 0 }),
  datetime: (key, _, array) => Attribute.datetime(key, { array }),
  enum: (key, { choices }, array) =>
    Attribute.enumeration(key, { array, elements: choices[2] % 2 === 0 ? ["s", "ß", "Á"] : ["s", "Á", "é"] })
}
/** Texts and whole numbers most often: they collide, and are counted in. */
const kinds = [...Attribute.Kind.literals, "string", "string", "string", "integer", "bigint", "bigint"] as const

export const attributeFrom = (command: Command, shift = 0): Attribute.Attribute => {
  const [first, second, third] = command.choices
  return makers[at(kinds, first + shift)!](at(keys, second + shift)!, command, (third + shift) % 6 === 0)
}

/** A value for an attribute: of its kind, null now and then, rarely one that does not fit. */
const valueFor = (attribute: Attribute.Attribute, command: Command, shift: number) => {
  const { choices, numbers, texts } = command
  const choice = choices[shift % 4]! + shift
  if (choice % 7 === 0) return null
  if (choice % 41 === 0) return "does not fit, whatever it is"
  const text = texts[shift % 3]!
  const scalar = () => {
    switch (attribute.kind) {
      case "string":
      case "varchar":
        return text
      case "text":
      case "mediumtext":
      case "longtext":
        return choice % 2 === 0 ? text : `${at(words, choice)} ${text} ${at(words, choice + shift + 1)}`
      case "email":
      case "url":
      case "ip":
        return at(formatted[attribute.kind], choice)!
      case "integer":
        return attribute.bits === 64 && choice % 5 === 0 ? wide(command, shift) : numbers[1] + (shift % 3)
      case "bigint":
        return choice % 11 === 0 ? String(wide(command, shift)) : wide(command, shift)
      case "float":
        return numbers[0]
      case "boolean":
        return choice % 2 === 0
      case "datetime":
        return at(dates, choice)!
      case "enum":
        return at(attribute.elements, choice)!
    }
  }
  return attribute.array ? [scalar(), ...(choice % 2 === 0 ? [null, scalar()] : [])] : scalar()
}
export const valuesFor = (attributes: ReadonlyArray<Attribute.Attribute>, command: Command, shift: number) =>
  Object.fromEntries(
    attributes
      .filter((_, position) => (command.choices[2] + position + shift) % 4 > 0)
      .map((attribute, position) => [attribute.key, valueFor(attribute, command, shift + position)])
  )
