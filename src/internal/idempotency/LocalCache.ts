/** Finished keys that this process remembers by itself; the oldest used goes first. */
import type * as Clock from "effect/Clock"
import type { Content } from "./Content.ts"

export interface Entry {
  readonly fingerprint: string
  readonly content: Content
  /** Milliseconds since the epoch: nothing is replayed later. */
  readonly expiresAt: number
}

export interface LocalCache {
  /** Undefined where it is not known, or over. */
  readonly get: (key: string, clock: Clock.Clock) => Entry | undefined
  readonly set: (key: string, entry: Entry) => void
}

/** Remembers nothing: for an operation that wants none. */
export const none: LocalCache = { get: () => undefined, set: () => {} }

/** Longest body that is kept, in bytes or characters: so many keys, and no more memory than that for each. */
const longest = 65_536

/** Bytes of its own: whoever gets or gave them may change theirs. */
const copied = (entry: Entry): Entry =>
  entry.content.body instanceof Uint8Array
    ? { ...entry, content: { ...entry.content, body: entry.content.body.slice() } }
    : entry

export const make = (capacity: number): LocalCache => {
  const entries = new Map<string, Entry>()
  return {
    get: (key, clock) => {
      const entry = entries.get(key)
      if (entry === undefined) return undefined
      entries.delete(key)
      if (clock.currentTimeMillisUnsafe() > entry.expiresAt) return undefined
      entries.set(key, entry)
      return copied(entry)
    },
    set: (key, entry) => {
      if (capacity === 0 || (entry.content.body?.length ?? 0) > longest) return
      entries.delete(key)
      if (entries.size >= capacity) entries.delete(entries.keys().next().value!)
      entries.set(key, copied(entry))
    }
  }
}
