/** Names and texts of backup format 1, as docs/backup-format.md defines them. */
import type { Collection } from "../../Collection.ts"
import { canonicalJson } from "../CanonicalJson.ts"

export const manifestName = "manifest.json"
const schema = /^schema\.json(?:\.enc)?$/
const chunk = /^documents-\d{6}\.(?:ndjson\.gz|index)(?:\.enc)?$/

/** A file that a manifest may name. */
export const isFileName = (name: string): boolean => schema.test(name) || chunk.test(name)

export const backupId = /^\d{8}T\d{9}Z-[0-9a-z]{6}$/
export const collectionId = /^[A-Za-z0-9][A-Za-z0-9._-]{0,35}$/

const numbered = (number: number) => `documents-${String(number).padStart(6, "0")}`
export const names = {
  schema: "schema.json",
  chunk: (number: number) => `${numbered(number)}.ndjson.gz`,
  index: (number: number) => `${numbered(number)}.index`
} as const
export const encryptedSuffix = ".enc"

/** About so many characters of documents in a chunk. */
export const chunkSize = 8 * 1024 * 1024

export const schemaText = (collection: Collection): string => canonicalJson(collection)

/** Where the id stands in a document's exact text: dates are all of one length. */
export const idStart = `{"$createdAt":"2026-01-02T03:04:05.678+00:00","$id":"`.length

/** As the server compares ids: ASCII letters without case. */
export const sortableId = (id: string): string => id.toUpperCase()

/** A document in an index. */
export interface IndexEntry {
  readonly exact: string
  readonly sequence: string
  /** Its line in the chunk, from 0. */
  readonly line: number
  readonly id: string
}

const indexForm = "[0-9a-f]{64} \\d{1,19} \\d{1,9} [A-Za-z0-9][A-Za-z0-9._-]{0,35}"
const indexLineForm = new RegExp(`^${indexForm}$`)
const indexTextForm = new RegExp(`^(?:${indexForm}\\n)*$`)
/** The first line that has no place in the text of an index; undefined where all have. */
export const wrongIndexLine = (text: string): string | undefined => {
  if (indexTextForm.test(text)) return undefined
  return text.split("\n").find((line) => !indexLineForm.test(line))
}

/** A line of an index in which no line is wrong. */
export const readIndexLine = (text: string): IndexEntry => {
  const line = text.indexOf(" ", 65)
  const id = text.indexOf(" ", line + 1)
  return {
    exact: text.slice(0, 64),
    sequence: text.slice(65, line),
    line: Number(text.slice(line + 1, id)),
    id: text.slice(id + 1)
  }
}

/** The text that a manifest's seal is about. */
export const sealedText = (manifest: object): string => {
  const { seal: _seal, ...rest } = manifest as { readonly seal?: unknown }
  return canonicalJson(rest)
}
