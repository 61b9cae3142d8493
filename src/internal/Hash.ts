/** SHA-256, synchronous: a digest of a text, and one that grows. */
import { createHash } from "node:crypto"

export const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex")

export interface Growing {
  readonly add: (text: string) => void
  /** Hexadecimal; ends it. */
  readonly digest: () => string
}
export const growing = (): Growing => {
  const hash = createHash("sha256")
  return { add: (text) => void hash.update(text), digest: () => hash.digest("hex") }
}
