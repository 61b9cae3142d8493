/**
 * Lines out of bytes that come in chunks, wherever the chunks are cut: all of them, or those that hold one of some
 * words. Where words are looked for, they are looked for in the bytes of a whole chunk, and only a hit costs a line.
 */

const newline = 10

export interface Options {
  /** Lines that hold one of these. Default: all lines. */
  readonly needles?: ReadonlyArray<string> | undefined
  /** Bytes; a longer line is left out. Default 16 MiB. */
  readonly longest?: number | undefined
  readonly visit: (line: string) => void
}

export interface Count {
  readonly bytes: number
  /** With `needles` the lines of the first mebibyte are counted, and the rest is taken to be like them. */
  readonly lines: number
  readonly isExact: boolean
  /** Lines that were too long. */
  readonly tooLong: number
}

const mebibyte = 1024 * 1024
const defaultLongest = 16 * mebibyte

export class Lines {
  readonly #needles: ReadonlyArray<Buffer> | undefined
  readonly #longest: number
  readonly #visit: (line: string) => void
  /** The beginning of a line whose end has not come. */
  #begun: Array<Buffer> = []
  #begunBytes = 0
  #isDropping = false
  #tooLong = 0
  #bytes = 0
  #counted = { bytes: 0, lines: 0 }

  constructor({ longest = defaultLongest, needles, visit }: Options) {
    this.#needles = needles?.map((needle) => Buffer.from(needle))
    this.#longest = longest
    this.#visit = visit
  }

  /** The chunk is read at once: its bytes may be overwritten afterwards. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return
    this.#bytes += chunk.length
    if (this.#needles !== undefined && this.#counted.bytes < mebibyte) this.#sample(chunk)
    let start = 0
    if (this.#begunBytes > 0 || this.#isDropping) {
      const end = chunk.indexOf(newline)
      if (end === -1) return this.#keep(chunk)
      this.#keep(chunk.subarray(0, end))
      this.#finish()
      start = end + 1
    }
    const last = chunk.lastIndexOf(newline) + 1
    if (last > start) {
      if (this.#needles === undefined) this.#all(chunk, start, last)
      else this.#search(chunk, start, last, this.#needles)
    }
    const rest = Math.max(start, last)
    if (rest < chunk.length) this.#keep(chunk.subarray(rest))
  }

  /** The last line may have no end. */
  end(): Count {
    if (this.#begunBytes > 0 || this.#isDropping) {
      if (this.#needles !== undefined && this.#bytes === this.#counted.bytes) this.#counted.lines++
      this.#finish()
    }
    const { bytes, lines } = this.#counted
    const isExact = this.#needles === undefined || bytes === this.#bytes
    return {
      bytes: this.#bytes,
      lines: isExact ? lines : Math.round((lines / bytes) * this.#bytes),
      isExact,
      tooLong: this.#tooLong
    }
  }

  #sample(chunk: Buffer): void {
    this.#counted.bytes += chunk.length
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, at + 1)) this.#counted.lines++
  }

  #keep(piece: Buffer): void {
    if (this.#isDropping) return
    if (this.#begunBytes + piece.length > this.#longest) {
      this.#isDropping = true
      this.#tooLong++
      this.#begun = []
      this.#begunBytes = 0
      return
    }
    this.#begun.push(Buffer.from(piece))
    this.#begunBytes += piece.length
  }

  /** The line that was begun has come to its end. */
  #finish(): void {
    if (this.#needles === undefined) this.#counted.lines++
    if (this.#isDropping) {
      this.#isDropping = false
      return
    }
    const line = this.#begun.length === 1 ? this.#begun[0]! : Buffer.concat(this.#begun)
    this.#begun = []
    this.#begunBytes = 0
    if (this.#needles === undefined || this.#needles.some((needle) => line.includes(needle)))
      this.#emit(line, 0, line.length)
  }

  #emit(bytes: Buffer, start: number, end: number): void {
    if (end - start > this.#longest) this.#tooLong++
    else this.#visit(bytes.toString("utf8", start, end))
  }

  #all(chunk: Buffer, from: number, to: number): void {
    for (let start = from; start < to;) {
      const end = chunk.indexOf(newline, start)
      this.#counted.lines++
      this.#emit(chunk, start, end)
      start = end + 1
    }
  }

  /** `to` is behind the end of a line. */
  #search(chunk: Buffer, from: number, to: number, needles: ReadonlyArray<Buffer>): void {
    const next = (needle: Buffer, start: number) => {
      const at = chunk.indexOf(needle, start)
      return at === -1 || at >= to ? Infinity : at
    }
    const hits = needles.map((needle) => next(needle, from))
    for (let hit = Math.min(...hits); hit < to; hit = Math.min(...hits)) {
      const start = Math.max(from, hit === 0 ? 0 : chunk.lastIndexOf(newline, hit - 1) + 1)
      const end = chunk.indexOf(newline, hit)
      this.#emit(chunk, start, end)
      for (const [index, at] of hits.entries()) if (at < end) hits[index] = next(needles[index]!, end + 1)
    }
  }
}
