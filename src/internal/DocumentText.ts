/**
 * A document as one text, the same for the same data: canonical JSON (RFC 8785) of its id, permissions, values and,
 * exactly, dates; without `$sequence` and without what nobody wrote (docs/backup-format.md, "Terms").
 */
import type { Document } from "../Document.ts"
import { canonicalJson } from "./CanonicalJson.ts"

interface Member {
  readonly key: string
  /** As it stands before the value. */
  readonly head: string
}
/** Members of attributes, sorted, by the keys of the document before: those of a collection come one after another. */
let known: { readonly keys: ReadonlyArray<string>; readonly members: ReadonlyArray<Member> } = { keys: [], members: [] }
const membersOf = (document: Document): ReadonlyArray<Member> => {
  const keys = Object.keys(document)
  if (keys.length === known.keys.length && keys.every((key, position) => key === known.keys[position])) {
    return known.members
  }
  const members = keys
    .filter((key) => !key.startsWith("$"))
    .toSorted((left, right) => (left < right ? -1 : 1))
    .map((key) => ({ key, head: `,${JSON.stringify(key)}:` }))
  known = { keys, members }
  return members
}

/** Null and an empty list are what an attribute has that nobody wrote: so another attribute changes no document. */
const valuesOf = (document: Document): string => {
  let text = ""
  for (const { head, key } of membersOf(document)) {
    const value = document[key]
    if (value === null || value === undefined) continue
    if (typeof value === "string") text += head + JSON.stringify(value)
    else if (typeof value === "object") {
      if (value.length > 0) text += head + canonicalJson(value)
    } else text += head + String(value === 0 ? 0 : value)
  }
  return text
}

/** With dates. Members sort by code unit: `$…` before all attributes, whose keys begin with a letter or a digit. */
export const exact = (document: Document): string => {
  const { $createdAt, $id, $permissions, $updatedAt } = document
  const permissions = $permissions.length === 0 ? "" : `,"$permissions":${JSON.stringify($permissions)}`
  return `{"$createdAt":"${$createdAt}","$id":${JSON.stringify($id)}${permissions},"$updatedAt":"${$updatedAt}"${valuesOf(document)}}`
}

const updatedAt = `,"$updatedAt":"`
/** The content text out of the exact one. A quotation mark in a value is escaped, so no value holds these members. */
export const withoutDates = (exact: string): string => {
  const start = exact.indexOf(`"$id":`)
  const date = exact.indexOf(updatedAt)
  const end = exact.indexOf('"', date + updatedAt.length) + 1
  return `{${exact.slice(start, date)}${exact.slice(end)}`
}
