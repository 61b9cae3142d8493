/** AES-256-GCM: nonce, ciphertext, tag, bound to a name. Pure: nonces are given. Source: NIST SP 800-38D. */
import { createCipheriv, createDecipheriv } from "node:crypto"

export const algorithm = "aes-256-gcm"
export const nonceBytes = 12
export const tagBytes = 16

export const encrypt = (key: Uint8Array, nonce: Uint8Array, name: string, bytes: Uint8Array): Buffer => {
  const cipher = createCipheriv(algorithm, key, nonce)
  cipher.setAAD(Buffer.from(name))
  return Buffer.concat([nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()])
}

/** Undefined where key, name or bytes are not those that it was encrypted with. */
export const decrypt = (key: Uint8Array, name: string, stored: Uint8Array): Buffer | undefined => {
  if (stored.length < nonceBytes + tagBytes) return undefined
  const decipher = createDecipheriv(algorithm, key, stored.subarray(0, nonceBytes), { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(name))
  decipher.setAuthTag(stored.subarray(stored.length - tagBytes))
  try {
    return Buffer.concat([decipher.update(stored.subarray(nonceBytes, stored.length - tagBytes)), decipher.final()])
  } catch {
    return undefined
  }
}
