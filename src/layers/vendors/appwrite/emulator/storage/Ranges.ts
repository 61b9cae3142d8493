/**
 * `Content-Range` of uploads and `Range` of downloads, as the server reads them: more narrowly than HTTP does.
 *
 * A download's range must have two bytes at least and end inside the file; there are no suffixes and no lists.
 */

/** Chunks count by this size, whatever their own is. */
export const chunkSize = 5 * 1024 * 1024
/** Most that a range without an end, or a very long one, answers. */
const longestAnswer = 10 * 1024 * 1024
const longestRange = 20_000_000

export interface Chunk {
  /** From 1. */
  readonly number: number
  readonly total: number
  /** Bytes of the whole file. */
  readonly size: number
}

/** The chunk that a `Content-Range` speaks of; undefined where it is invalid. */
export const chunkOf = (contentRange: string): Chunk | undefined => {
  const [, from, to, all] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(contentRange) ?? []
  const [start, end, size] = [Number(from), Number(to), Number(all)]
  if (from === undefined || start > end || end > size) return undefined
  return { number: Math.floor(start / chunkSize) + 1, total: Math.max(1, Math.ceil(size / chunkSize)), size }
}

export interface Range {
  readonly start: number
  /** The last byte. */
  readonly end: number
}

/** The bytes that a `Range` asks for; undefined where the server refuses it. */
export const rangeOf = (header: string, size: number): Range | undefined => {
  const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(header) ?? []
  if (from === undefined) return undefined
  const start = Number(from)
  const asked = to === "" ? undefined : Number(to)
  const end = asked === undefined || asked - start > longestRange ? Math.min(start + longestAnswer, size) - 1 : asked
  return start < end && end < size ? { start, end } : undefined
}
