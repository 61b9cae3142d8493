/** Ids of traces and spans, from the platform's source of chance for secrets, drawn in pools: a draw costs a system call. */
import * as WebCrypto from "effect/crypto/WebCrypto"
import * as Context from "effect/Context"

export interface Ids {
  /** 32 hexadecimal digits, not all zero. */
  readonly traceId: () => string
  /** 16 hexadecimal digits, not all zero. */
  readonly spanId: () => string
}

const poolBytes = 4096
const half = 8

const pooled = (crypto: typeof WebCrypto.WebCrypto.Service): Ids => {
  const pool = Buffer.alloc(poolBytes)
  let used = poolBytes
  const draw = (): string => {
    for (;;) {
      if (used === poolBytes) {
        crypto.getRandomValues(pool)
        used = 0
      }
      const text = pool.toString("hex", used, used + half)
      // What was given out is forgotten.
      pool.fill(0, used, (used += half))
      if (text !== "0000000000000000") return text
    }
  }
  return { spanId: draw, traceId: () => draw() + draw() }
}

/** Where ids come from. */
export const Ids: Context.Reference<Ids> = Context.Reference<Ids>("holdfast/logging/Ids", {
  defaultValue: () => pooled(WebCrypto.WebCrypto.defaultValue())
})
