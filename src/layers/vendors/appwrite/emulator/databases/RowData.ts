/** Rows on the wire: what a call sends as values of ours, and how a row is shown. */
import type { Attribute } from "../../../../../Attribute.ts"
import type { Collection } from "../../../../../Collection.ts"
import type { Document } from "../../../../../Document.ts"
import type { Changes, NewDocument } from "../../../../../Operation.ts"
import * as ApiFailure from "../ApiFailure.ts"
import * as Json from "../Json.ts"
import * as Parameters from "./Parameters.ts"
import type { Vocabulary } from "./Vocabulary.ts"

export interface Sent {
  readonly [key: string]: unknown
}

/** The parameter `data`: an object, also as JSON text. */
export const dataOf = (value: unknown): Sent => {
  const data = typeof value === "string" ? parsed(value) : value
  if (typeof data !== "object" || data === null) throw ApiFailure.serverError
  return data as Sent
}
const parsed = (text: string): unknown => {
  try {
    return Json.parse(text)
  } catch {
    throw ApiFailure.invalidParameter("data", "Value must be a valid JSON string")
  }
}

/** The server's own members, which a row may bring along and nobody reads. */
const ignored = (vocabulary: Vocabulary): ReadonlySet<string> =>
  new Set(["$id", "$sequence", "$databaseId", `$${vocabulary.tableId}`])
const dates: ReadonlySet<string> = new Set(["$createdAt", "$updatedAt"])

const unknownAttribute = (vocabulary: Vocabulary, key: string) =>
  ApiFailure.make(
    400,
    vocabulary.type("row_invalid_structure"),
    `Invalid document structure: Unknown attribute: "${key}"`
  )

/** 14 significant digits are what the recorded server keeps of a double; whole numbers up to 2^53 are exact. */
const rounded = (value: number): number => (Number.isSafeInteger(value) ? value : Number(value.toPrecision(14)))

/** One value as the store takes it. A whole number written as 2.0 is one only for a double. */
const valueOf = (attribute: Attribute | undefined, value: unknown, quirks: boolean): unknown => {
  if (Array.isArray(value)) return value.map((one) => valueOf(attribute, one, quirks))
  if (attribute?.kind === "datetime" && value === "") return new Date().toISOString()
  if (attribute?.kind !== "float") return value
  const plain = Json.plain(value)
  return quirks && typeof plain === "number" ? rounded(plain) : plain
}

export interface Reading {
  readonly vocabulary: Vocabulary
  readonly collection: Collection
  readonly quirks: boolean
  /** Dates count outside transactions only. */
  readonly withDates: boolean
  /** `$permissions` among the data counts in bulk and in transactions. */
  readonly withPermissions: boolean
}

/** Values that a call sends, ready for the store. */
export const changesOf = (reading: Reading, data: Sent): Changes => {
  const { collection, quirks, vocabulary } = reading
  const skip = ignored(vocabulary)
  const byKey = new Map(collection.attributes.map((attribute) => [attribute.key, attribute]))
  const changes: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(data)) {
    if (skip.has(key)) continue
    if (key === "$permissions") {
      if (reading.withPermissions) changes[key] = Parameters.permissions(data, "document", "$permissions") ?? []
    } else if (dates.has(key)) {
      if (reading.withDates && value !== null) changes[key] = value
    } else if (key.startsWith("$")) throw unknownAttribute(vocabulary, key)
    else changes[key] = valueOf(byKey.get(key), value, quirks)
  }
  return changes as Changes
}

export const documentOf = (reading: Reading, id: string, data: Sent): NewDocument => ({
  ...changesOf(reading, data),
  $id: id
})

/** What a row says of where it is. */
export const placeOf = (
  vocabulary: Vocabulary,
  databaseId: string,
  tableId: string
): { readonly [key: string]: string } => ({ $databaseId: databaseId, [`$${vocabulary.tableId}`]: tableId })

/** A row as the server shows it. */
export const shown = (vocabulary: Vocabulary, databaseId: string, tableId: string, document: object): object => ({
  ...document,
  ...placeOf(vocabulary, databaseId, tableId)
})

/** Answers to a write show doubles as they were sent, also -0.0, whatever the store keeps. */
export const asSent = (document: Document, sent: Sent): Document =>
  Object.fromEntries(
    Object.entries(document).map(([key, value]) => {
      const given = Json.plain(sent[key])
      if (typeof value !== "number" || typeof given !== "number" || key.startsWith("$")) return [key, value]
      return [key, sent[key] instanceof Json.Decimal && Object.is(given, -0) ? Json.negativeZero : given || 0]
    })
  ) as Document
