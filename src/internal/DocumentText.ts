/**
 * A document as one text, the same for the same data: canonical JSON (RFC 8785) of its id, permissions, values and,
 * exactly, dates; without `$sequence` and without what nobody wrote (docs/backup-format.md, "Terms").
 */
import type { Document } from "../Document.ts"
import { canonicalJson } from "./CanonicalJson.ts"

/** Null and an empty list are what an attribute has that nobody wrote: so another attribute changes no document. */
const isWritten = (value: unknown): boolean => value !== null && !(Array.isArray(value) && value.length === 0)

/** Keys of attributes, sorted, by the keys of the document before: documents of a collection come one after another. */
let known: { readonly keys: ReadonlyArray<string>; readonly sorted: ReadonlyArray<string> } = { keys: [], sorted: [] }
const sortedKeys = (document: Document): ReadonlyArray<string> => {
  const keys = Object.keys(document)
  if (keys.length === known.keys.length && keys.every((key, position) => key === known.keys[position])) {
    return known.sorted
  }
  const sorted = keys.filter((key) => !key.startsWith("$")).toSorted((left, right) => (left < right ? -1 : 1))
  known = { keys, sorted }
  return known.sorted
}

const own = (document: Document): string => {
  let text = ""
  for (const key of sortedKeys(document)) {
    const value = document[key]
    if (isWritten(value)) text += `,${JSON.stringify(key)}:${canonicalJson(value)}`
  }
  return text
}

export interface Texts {
  /** With dates. */
  readonly exact: string
  /** Without. */
  readonly content: string
}

/** Both texts. Members sort by code unit: `$…` before all attributes, whose keys begin with a letter or a digit. */
export const texts = (document: Document): Texts => {
  const permissions =
    document.$permissions.length === 0 ? "" : `,"$permissions":${JSON.stringify(document.$permissions)}`
  const who = `"$id":${JSON.stringify(document.$id)}${permissions}`
  const values = own(document)
  return {
    exact: `{"$createdAt":"${document.$createdAt}",${who},"$updatedAt":"${document.$updatedAt}"${values}}`,
    content: `{${who}${values}}`
  }
}

const updatedAt = `,"$updatedAt":"`
/** The content text out of an exact one. A quotation mark inside a value is escaped, so no value holds these members. */
export const withoutDates = (exact: string): string => {
  const start = exact.indexOf(`"$id":`)
  const date = exact.indexOf(updatedAt)
  const end = exact.indexOf('"', date + updatedAt.length) + 1
  return `{${exact.slice(start, date)}${exact.slice(end)}`
}
