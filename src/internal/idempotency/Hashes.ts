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

const digest = (identityKey: string | undefined, text: string): Buffer =>
  identityKey === undefined ? hash("sha256", text, "buffer") : createHmac("sha256", identityKey).update(text).digest()

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
  return `k${base32(digest(identityKey, joined(["holdfast 1", namespace, operation, tenant, user, key])), 30)}`
}

/** Of what a request asks for, bound to its key; hexadecimal. */
export const fingerprint = (prefix: string, parts: ReadonlyArray<string>, identityKey: string | undefined): string =>
  digest(identityKey, joined([prefix, ...parts])).toString("hex")

/** The same for every attempt of a generation, another for the next. */
export const token = (prefix: string, generation: string, name: string): string =>
  base32(hash("sha256", joined([prefix, generation, name]), "buffer"), 40)

/** For people to find rows by who knows the secret; the protocol never reads it. Hexadecimal. */
export const column = (secret: string, name: string, value: string): string =>
  createHmac("sha256", secret)
    .update(joined([name, value]))
    .digest("hex")
