/** Rows of the epoch log as documents of the collection. */
import type { Data, Document } from "../../../Document.ts"
import type { About, Row, Stored } from "../../../IdempotencyStore.ts"

/** The id of a slot: 34 characters at most, and ids compare without case. */
export const slotId = (key: string, slot: number): string => `${key}.${slot.toString(36)}`
/** The ids of all slots of a key. */
export const slotIds = (key: string, slots: number): ReadonlyArray<string> =>
  Array.from({ length: slots }, (_, slot) => slotId(key, slot))
export const partId = (prefix: string, index: number): string => `${prefix}.${index}`

const iso = (time: number): string => new Date(time).toISOString()
const time = (value: unknown): number => Date.parse(String(value))

const noContent = { responseData: null, status: null, headers: null, encoding: null, parts: null, digest: null }
const contentOf = (content: Stored | null): Data =>
  content === null
    ? noContent
    : {
        // Where the body is in parts, what their ids begin with stands in its place.
        responseData: content.parts === 0 ? content.data : content.prefix,
        status: content.status,
        headers: JSON.stringify(content.headers),
        encoding: `${content.kind};${content.encoding}`,
        parts: content.parts,
        digest: content.digest
      }

/** `hashed`: for what people may look for; the protocol reads none of it. */
export const toDocument = (
  key: string,
  row: Row,
  about: About,
  hashed: (name: string, value: string) => string,
  now: number
) => ({
  $id: slotId(key, row.slot),
  idempotencyKey: hashed("key", about.key),
  userId: hashed("user", about.user),
  operationType: about.operation.slice(0, 255),
  fingerprint: row.fingerprint,
  createdAt: iso(now),
  expiresAt: iso(row.expiresAt),
  purgeAt: iso(row.purgeAt),
  generation: row.generation,
  kind: row.kind,
  owner: row.owner,
  leaseExpiresAt: iso(row.leaseExpiresAt),
  step: row.step,
  ...contentOf(row.content)
})

export const partDocument = (row: Row, prefix: string, index: number, text: string) => ({
  $id: partId(prefix, index),
  generation: row.generation,
  kind: "part",
  owner: row.owner,
  expiresAt: iso(row.expiresAt),
  purgeAt: iso(row.purgeAt),
  responseData: text
})

const text = (value: unknown): string => (typeof value === "string" ? value : "")

const storedOf = (document: Document): Stored | null => {
  if (document["encoding"] === null || document["encoding"] === undefined) return null
  const [kind = "", ...encoding] = text(document["encoding"]).split(";")
  const parts = Number(document["parts"] ?? 0)
  const data = text(document["responseData"])
  return {
    status: document["status"] === null ? null : Number(document["status"]),
    headers: JSON.parse(text(document["headers"]) || "{}"),
    kind: kind as Stored["kind"],
    encoding: encoding.join(";"),
    data: parts === 0 ? data : "",
    parts,
    prefix: parts === 0 ? "" : data,
    digest: text(document["digest"])
  }
}

export const fromDocument = (document: Document): Row => ({
  slot: Number.parseInt(document.$id.slice(document.$id.lastIndexOf(".") + 1), 36),
  kind: text(document["kind"]) as Row["kind"],
  generation: text(document["generation"]),
  owner: text(document["owner"]),
  fingerprint: text(document["fingerprint"]),
  leaseExpiresAt: time(document["leaseExpiresAt"]),
  expiresAt: time(document["expiresAt"]),
  purgeAt: time(document["purgeAt"]),
  step: document["step"] === null ? null : text(document["step"]),
  content: storedOf(document)
})
