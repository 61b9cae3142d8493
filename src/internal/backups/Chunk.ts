/**
 * The documents of one chunk while they are read: their texts as bytes, so that no document lives longer than its page.
 * Memory is given back by `release`, not when a collector comes by.
 */
import type { Document } from "../../Document.ts"
import * as DocumentText from "../DocumentText.ts"
import { type Sum, sha256, sum } from "../Hash.ts"
import * as Format from "./Format.ts"

/** Smaller ones may lie in the pool that Node's buffers share. */
const ownMemory = 256 * 1024

/** Gives the memory of bytes back at once, where they are many. Nobody may look at them any more. */
export const release = (bytes: Uint8Array): void => {
  if (bytes.byteLength >= ownMemory && bytes.byteOffset === 0 && bytes.buffer instanceof ArrayBuffer) {
    bytes.buffer.transfer(0)
  }
}

/** UTF-8 takes no more bytes for a UTF-16 unit. */
const widest = 3
const digestLength = 64

/** A copy with more room; what was there is given back. */
const grown = (bytes: Buffer, length: number, needed: number): Buffer => {
  const larger = Buffer.allocUnsafeSlow(2 * needed)
  larger.set(bytes.subarray(0, length))
  release(bytes)
  return larger
}

/** Everything in bytes: objects for each document would live until the chunk is stored, and long after in the heap. */
export class Builder {
  #bytes: Buffer = Buffer.allocUnsafeSlow(Format.chunkSize + Format.chunkSize / 4)
  #length = 0
  /** Exact hashes in hexadecimal, one after the other. */
  #digests: Buffer = Buffer.allocUnsafeSlow(8192 * digestLength)
  /** Where each document begins, and the `$sequence` of each. */
  readonly #starts: Array<number> = []
  readonly #sequences: Array<number> = []
  readonly exact: Sum = sum()
  readonly content: Sum = sum()
  /** Documents so far. */
  get size(): number {
    return this.#starts.length
  }
  /** Bytes so far. */
  get length(): number {
    return this.#length
  }
  /** `$sequence` of the last one. */
  get last(): string {
    return String(this.#sequences.at(-1))
  }
  /** Answers how many bytes it took. */
  add(document: Document): number {
    const text = DocumentText.exact(document)
    const start = this.#length
    const needed = start + text.length * widest + 1
    if (needed > this.#bytes.length) this.#bytes = grown(this.#bytes, start, needed)
    const end = start + this.#bytes.write(text, start)
    this.#bytes[end] = 0x0a
    this.#length = end + 1
    const exact = sha256(this.#bytes.subarray(start, end))
    this.exact.add(exact)
    this.content.add(sha256(DocumentText.withoutDates(text)))
    const position = this.size * digestLength
    if (position + digestLength > this.#digests.length) {
      this.#digests = grown(this.#digests, position, position + digestLength)
    }
    this.#digests.write(exact, position, "latin1")
    this.#starts.push(start)
    this.#sequences.push(Number(document.$sequence))
    return end + 1 - start
  }
  /** All texts, each with its line feed. */
  raw(): Uint8Array {
    return this.#bytes.subarray(0, this.#length)
  }
  #idAt(line: number): string {
    const from = this.#starts[line]! + Format.idStart
    return this.#bytes.toString("latin1", from, this.#bytes.indexOf(0x22, from))
  }
  /** The chunk's index, sorted. */
  index(): Uint8Array {
    const ids = this.#starts.map((_, line) => this.#idAt(line))
    const keys = ids.map(Format.sortableId)
    const order = Uint32Array.from(keys.keys()).toSorted((left, right) => (keys[left]! < keys[right]! ? -1 : 1))
    // A hash, `$sequence` and line, each of up to 19 digits, an id of up to 36 characters, spaces and a line feed.
    const bytes = Buffer.allocUnsafeSlow(Math.max(1, this.size * (digestLength + 2 * 19 + 36 + 4)))
    let end = 0
    for (const line of order) {
      this.#digests.copy(bytes, end, line * digestLength, (line + 1) * digestLength)
      end += digestLength
      end += bytes.write(` ${this.#sequences[line]} ${line} ${ids[line]}\n`, end, "latin1")
    }
    return bytes.subarray(0, end)
  }
  release(): void {
    release(this.#bytes)
    release(this.#digests)
  }
}
