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

/** As the server compares ids: ASCII letters without case. */
export const sortableId = (id: string): string => id.toUpperCase()

/** A document in an index. */
export interface IndexEntry {
  readonly exact: string
  readonly content: string
  readonly sequence: string
  /** Its line in the chunk, from 0. */
  readonly line: number
  readonly id: string
}

export const indexLine = ({ content, exact, id, line, sequence }: IndexEntry): string =>
  `${exact} ${content} ${sequence} ${line} ${id}`

const indexForm = /^([0-9a-f]{64}) ([0-9a-f]{64}) (\d{1,19}) (\d{1,9}) ([A-Za-z0-9][A-Za-z0-9._-]{0,35})$/
/** Undefined where it is no line of an index. */
export const parseIndexLine = (text: string): IndexEntry | undefined => {
  const [, exact, content, sequence, line, id] = indexForm.exec(text) ?? []
  return id === undefined
    ? undefined
    : { exact: exact!, content: content!, sequence: sequence!, line: Number(line), id }
}

/** The text that a manifest's seal is about. */
export const sealedText = (manifest: object): string => {
  const { seal: _seal, ...rest } = manifest as { readonly seal?: unknown }
  return canonicalJson(rest)
}
