/**
 * Encryption of backups: AES-256-GCM, keys by HKDF-SHA-256 (RFC 5869) from the user's secret and the part's salt.
 * Pure: salts and nonces are given.
 */
import { createDecipheriv, createHmac, type DecipherGCM, hkdfSync } from "node:crypto"
import * as AesGcm from "../AesGcm.ts"

export const saltBytes = 32
export { nonceBytes } from "../AesGcm.ts"

export interface Keys {
  readonly encryption: Uint8Array
  readonly seal: Uint8Array
}

export const keysOf = (secret: string, salt: Uint8Array): Keys => {
  const key = (purpose: string) => new Uint8Array(hkdfSync("sha256", secret, salt, `holdfast backup 1 ${purpose}`, 32))
  return { encryption: key("encryption"), seal: key("seal") }
}

/** `name`: the whole name of the file, which it then can't change. */
export const encrypt = ({ encryption }: Keys, nonce: Uint8Array, name: string, bytes: Uint8Array): Uint8Array =>
  AesGcm.encrypt(encryption, nonce, name, bytes)

/** Undefined where key, name or bytes are not those that it was encrypted with. */
export const decrypt = ({ encryption }: Keys, name: string, stored: Uint8Array): Uint8Array | undefined =>
  AesGcm.decrypt(encryption, name, stored)

/** Decrypts as it comes. Only for bytes that `decrypt` has found right: here the tag is not asked. */
export const decrypting = ({ encryption }: Keys, name: string) => {
  let decipher: DecipherGCM | undefined
  // The last bytes are the tag, wherever the pieces are cut.
  let held = Buffer.alloc(0)
  return (piece: Uint8Array): Uint8Array => {
    let bytes = Buffer.concat([held, piece])
    if (decipher === undefined) {
      if (bytes.length < AesGcm.nonceBytes) {
        held = bytes
        return new Uint8Array()
      }
      decipher = createDecipheriv(AesGcm.algorithm, encryption, bytes.subarray(0, AesGcm.nonceBytes))
      decipher.setAAD(Buffer.from(name))
      bytes = bytes.subarray(AesGcm.nonceBytes)
    }
    const end = Math.max(0, bytes.length - AesGcm.tagBytes)
    held = bytes.subarray(end)
    return decipher.update(bytes.subarray(0, end))
  }
}

export const seal = (keys: Keys, text: string): string => createHmac("sha256", keys.seal).update(text).digest("hex")
