/**
 * The hashes of a key. What the protocol compares is never under a secret that rotates: during a rotation old and new
 * processes would make different ids, and both run the handler.
 */
import { createHmac, hash } from "node:crypto"
import { base32 } from "./Base32.ts"

/** Each part behind its length, so that `a:b` + `c` and `a` + `b:c` differ. */
const joined = (parts: ReadonlyArray<string>): string => {
  let text = ""
  for (const part of parts) text += `${part.length}:${part}`
  return text
}

const digest = (identityKey: string | undefined, text: string, encoding: "binary" | "hex"): string =>
  identityKey === undefined
    ? hash("sha256", text, encoding)
    : createHmac("sha256", identityKey).update(text).digest(encoding)

export interface Scope {
  readonly namespace: string
  readonly operation: string
  readonly tenant: string
  readonly user: string
  readonly key: string
}

/** What a key's rows are called: `k` and 150 bits of its scope. */
export const rowPrefix = (scope: Scope, identityKey: string | undefined): string => {
  const { key, namespace, operation, tenant, user } = scope
  return `k${base32(digest(identityKey, joined(["holdfast 1", namespace, operation, tenant, user, key]), "binary"), 30)}`
}

/** Of what a request asks for, bound to its key; hexadecimal. */
export const fingerprint = (prefix: string, parts: ReadonlyArray<string>, identityKey: string | undefined): string =>
  digest(identityKey, joined([prefix, ...parts]), "hex")

/** The same for every attempt of a generation, another for the next. */
export const token = (prefix: string, generation: string, name: string): string =>
  base32(hash("sha256", joined([prefix, generation, name]), "binary"), 40)

const blockBytes = 64
/** Most bytes of a text; longer ones, which keys and users are not, go another way. */
const longest = 1024

/** HMAC-SHA-256 with its key prepared, hexadecimal: half the time of `createHmac`. Source: RFC 2104, section 2. */
const hmac = (key: string): ((text: string) => string) => {
  const own = Buffer.from(key)
  const inner = Buffer.alloc(blockBytes + longest)
  const outer = Buffer.alloc(blockBytes + 32)
  const padded = Buffer.alloc(blockBytes)
  padded.set(own.length > blockBytes ? hash("sha256", own, "buffer") : own)
  for (const [index, byte] of padded.entries()) {
    inner[index] = byte ^ 0x36
    outer[index] = byte ^ 0x5c
  }
  return (text) => {
    if (text.length * 3 > longest) return createHmac("sha256", key).update(text).digest("hex")
    const length = inner.write(text, blockBytes)
    outer.write(hash("sha256", inner.subarray(0, blockBytes + length), "binary"), blockBytes, "binary")
    return hash("sha256", outer)
  }
}

/** By the secret of a store, for people to find rows by who know it; the protocol never reads it. Hexadecimal. */
export const columns = (secret: string): ((name: string, value: string) => string) => {
  const prepared = hmac(secret)
  return (name, value) => prepared(joined([name, value]))
}
