/**
 * A response as it is kept: compressed where that saves something, encrypted where there is a secret for it, as text,
 * in parts where it is long, and without its body where it is too long.
 */
import { hash, hkdfSync } from "node:crypto"
import { gunzipSync, gzipSync } from "node:zlib"
import * as AesGcm from "../AesGcm.ts"

/** What an operation answered. */
export interface Content {
  /** Of an HTTP response; null for the value of an effect. */
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  /** `failure`: the typed failure of an effect. */
  readonly kind: "success" | "failure" | "response"
  /** Text, or bytes that are none; undefined where it was not kept. */
  readonly body: string | Uint8Array | undefined
}

/** What a row holds of it. */
export interface Stored {
  readonly status: number | null
  readonly headers: Readonly<Record<string, string>>
  readonly kind: Content["kind"]
  /** From the inside out, with semicolons: `text` or `bytes`, `gzip`, `aes ID`; `none` where the body was not kept. */
  readonly encoding: string
  /** The body, unless it is in parts. */
  readonly data: string
  /** How many parts there are, and what their names begin with. */
  readonly parts: number
  readonly prefix: string
  /** SHA-256 of the data of all parts together, hexadecimal; empty without parts. */
  readonly digest: string
}

/** A key that encrypts, and what it is called in rows. */
export interface EncryptionKey {
  readonly id: string
  readonly bytes: Uint8Array
}
export const encryptionKey = (secret: string): EncryptionKey => {
  const derive = (purpose: string, length: number) =>
    hkdfSync("sha256", secret, "", `holdfast idempotency 1 ${purpose}`, length)
  return {
    id: Buffer.from(derive("name", 4)).toString("hex"),
    bytes: new Uint8Array(derive("response", 32))
  }
}

export interface Limits {
  /** Longest data of a row or a part, in characters. */
  readonly part: number
  /** Most parts. */
  readonly parts: number
}

export interface Encoding {
  readonly limits: Limits
  /** Bodies of more bytes are compressed. */
  readonly compressAbove: number
  readonly encryption: EncryptionKey | undefined
}

const cut = (text: string, length: number): ReadonlyArray<string> =>
  Array.from({ length: Math.ceil(text.length / length) }, (_, index) =>
    text.slice(index * length, (index + 1) * length)
  )

/** Without its body: who repeats the request is told that it has happened. */
export const withoutBody = ({ headers, kind, status }: Content): Stored => ({
  status,
  headers,
  kind,
  encoding: "none",
  data: "",
  parts: 0,
  prefix: "",
  digest: ""
})

const none: ReadonlyArray<string> = []

/** Characters of headers that a row takes; the rest of its column is for their marks. */
const longestHeaders = 32_768
const isTooLong = (headers: Content["headers"]): boolean => {
  let length = 0
  for (const [name, value] of Object.entries(headers)) length += name.length + value.length
  return length > longestHeaders
}

/**
 * A content as a row and its parts hold it. `row`: what it is bound to when it is encrypted; `nonce`: 32 hexadecimal
 * digits never used before, of which the first 24 alone were never used before either.
 */
export const encode = (
  { limits, compressAbove, encryption }: Encoding,
  content: Content,
  row: string,
  nonce: () => string
): { readonly stored: Stored; readonly parts: ReadonlyArray<string> } => {
  const { headers, kind, status } = content
  if (isTooLong(headers)) return { stored: withoutBody({ ...content, headers: {} }), parts: none }
  if (content.body === undefined) return { stored: withoutBody(content), parts: none }
  // Half a surrogate pair is sent as U+FFFD, and no store takes it as it is.
  const body = typeof content.body === "string" ? content.body.toWellFormed() : content.body
  const isText = typeof body === "string"
  // Most responses are short texts: they stay as they are.
  if (isText && encryption === undefined && body.length <= Math.min(compressAbove / 3, limits.part)) {
    return {
      stored: { status, headers, kind, encoding: "text", data: body, parts: 0, prefix: "", digest: "" },
      parts: none
    }
  }
  const steps = [isText ? "text" : "bytes"]
  let bytes: Uint8Array = isText ? Buffer.from(body) : body
  if (bytes.length > compressAbove) {
    const packed = gzipSync(bytes)
    if (packed.length < bytes.length) {
      bytes = packed
      steps.push("gzip")
    }
  }
  if (encryption !== undefined) {
    // The headers are as secret as the body, and stand before it.
    bytes = Buffer.concat([Buffer.from(`${JSON.stringify(headers)}\n`), bytes])
    bytes = AesGcm.encrypt(encryption.bytes, Buffer.from(nonce(), "hex").subarray(0, AesGcm.nonceBytes), row, bytes)
    steps.push(`aes ${encryption.id}`)
  }
  const encoding = steps.join(";")
  const shown = encryption === undefined ? headers : {}
  // Cut into parts a text could break within a character: those are in base64.
  const isPlain = encoding === "text" && (body as string).length <= limits.part
  const data = isPlain ? (body as string) : Buffer.from(bytes).toString("base64")
  if (data.length <= limits.part) {
    return { stored: { status, headers: shown, kind, encoding, data, parts: 0, prefix: "", digest: "" }, parts: [] }
  }
  const parts = cut(data, limits.part)
  return parts.length > limits.parts
    ? { stored: withoutBody(content), parts: [] }
    : {
        stored: {
          status,
          headers: shown,
          kind,
          encoding,
          data: "",
          parts: parts.length,
          prefix: `p${nonce()}`,
          digest: hash("sha256", data)
        },
        parts
      }
}

/**
 * A content from its row and the data of its parts; parts that are not there, or not what was written, are a body that
 * was not kept. A string names the encryption key that is missing.
 */
export const decode = (
  stored: Stored,
  parts: ReadonlyArray<string | undefined>,
  row: string,
  keys: ReadonlyArray<EncryptionKey>
): Content | string => {
  const { encoding, kind, status } = stored
  let { headers } = stored
  if (encoding === "text" && stored.parts === 0) return { status, headers, kind, body: stored.data }
  if (encoding === "none") return { status, headers, kind, body: undefined }
  const data = stored.parts === 0 ? stored.data : parts.join("")
  if (stored.parts > 0 && (parts.includes(undefined) || hash("sha256", data) !== stored.digest))
    return { status, headers, kind, body: undefined }
  const [form, ...steps] = encoding.split(";")
  let bytes: Uint8Array = Buffer.from(data, "base64")
  for (const step of steps.toReversed()) {
    if (step === "gzip") {
      bytes = gunzipSync(bytes)
      continue
    }
    const id = step.slice("aes ".length)
    const key = keys.find((known) => known.id === id)
    const plain = key === undefined ? undefined : AesGcm.decrypt(key.bytes, row, bytes)
    if (plain === undefined) return id
    const end = plain.indexOf("\n")
    headers = JSON.parse(plain.subarray(0, end).toString("utf8"))
    bytes = plain.subarray(end + 1)
  }
  return { status, headers, kind, body: form === "text" ? Buffer.from(bytes).toString("utf8") : new Uint8Array(bytes) }
}
