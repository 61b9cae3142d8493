/** SHA-256, synchronous: a digest of a text or of bytes, one that grows, and a sum of digests. */
import { createHash, hash } from "node:crypto"

export const sha256 = (data: string | Uint8Array): string => hash("sha256", data)

export interface Growing {
  readonly add: (text: string) => void
  /** Hexadecimal; ends it. */
  readonly digest: () => string
}
export const growing = (): Growing => {
  const digest = createHash("sha256")
  return { add: (text) => void digest.update(text), digest: () => digest.digest("hex") }
}

const modulus = 2n ** 256n
export interface Sum {
  readonly add: (digest: string) => void
  /** All that another sum has. */
  readonly include: (other: Sum) => void
  readonly value: () => { readonly total: bigint; readonly count: number }
  /** `count`, a space, and the sum in 64 hexadecimal digits. */
  readonly text: () => string
}
/**
 * The sum of digests modulo 2^256: the same in whatever order they come. Source: Bellare and Micciancio, "A New
 * Paradigm for Collision-free Hashing: Incrementality at Reduced Cost", 1997.
 */
export const sum = (): Sum => {
  let total = 0n
  let count = 0
  return {
    add: (digest) => {
      total += BigInt(`0x${digest}`)
      count++
    },
    include: (other) => {
      const parts = other.value()
      total += parts.total
      count += parts.count
    },
    value: () => ({ total, count }),
    text: () => `${count} ${(total % modulus).toString(16).padStart(64, "0")}`
  }
}
