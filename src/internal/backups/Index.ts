/** The indexes of all chunks of a part as one, in order of id: each is sorted, so the least of their heads comes next. */
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type { Scope } from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BackupDamaged } from "../../BackupError.ts"
import type { Chunk } from "../../BackupManifest.ts"
import type { BackupStorageError } from "../../BackupStorage.ts"
import * as Files from "./Files.ts"
import * as Format from "./Format.ts"

/** A document, with the position of its chunk among the part's. */
export interface Located extends Format.IndexEntry {
  readonly chunk: number
  /** Its id as it sorts. */
  readonly key: string
}

type Failure = BackupStorageError

/** One index: its lines so far, and where more come from. */
class Source {
  readonly chunk: number
  readonly name: string
  readonly pull: Pull.Pull<ReadonlyArray<string>, BackupStorageError>
  #text = ""
  #position = 0
  head: Located | undefined
  constructor(chunk: number, name: string, pull: Pull.Pull<ReadonlyArray<string>, BackupStorageError>) {
    this.chunk = chunk
    this.name = name
    this.pull = pull
  }
  add(text: string): void {
    this.#text = this.#text.slice(this.#position) + text
    this.#position = 0
  }
  /** The next whole line; undefined where more text is needed. */
  line(): string | undefined {
    const end = this.#text.indexOf("\n", this.#position)
    if (end < 0) return undefined
    const line = this.#text.slice(this.#position, end)
    this.#position = end + 1
    return line
  }
}

/** Puts the entry at `position` where it belongs in a heap whose least comes first. */
const sink = (heap: Array<Source>, position: number): void => {
  const source = heap[position]!
  const { key } = source.head!
  let at = position
  for (;;) {
    let child = 2 * at + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && heap[child + 1]!.head!.key < heap[child]!.head!.key) child++
    if (heap[child]!.head!.key >= key) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = source
}

export interface Reader {
  /** The document that comes next, without taking it; undefined at the end. */
  readonly peek: () => Located | undefined
  /** Takes it. An effect where something must be read first. */
  readonly take: () => Effect.Effect<void, Failure> | undefined
}

/** Opens all indexes of a part that was verified; they are closed with the scope. */
export const open = Effect.fnUntraced(function* (
  place: Files.Place,
  chunks: ReadonlyArray<Chunk>
): Effect.fn.Return<Reader, Failure, Scope> {
  /** The head from what is there; false where more text is needed. */
  const fromText = (source: Source): boolean => {
    const line = source.line()
    if (line === undefined) return false
    const entry = Format.readIndexLine(line)
    source.head = { ...entry, chunk: source.chunk, key: Format.sortableId(entry.id) }
    return true
  }
  const refill = Effect.fnUntraced(function* (source: Source): Effect.fn.Return<void, Failure> {
    for (;;) {
      const pieces = yield* Pull.catchDone(source.pull, () => Effect.succeed(undefined))
      if (pieces === undefined) {
        source.head = undefined
        return
      }
      source.add(pieces.join(""))
      if (fromText(source)) return
    }
  })
  const heap: Array<Source> = []
  for (const [position, chunk] of chunks.entries()) {
    const pull = yield* Stream.toPull(Files.readIndex(place, chunk.index))
    const source = new Source(position, chunk.index.name, pull)
    yield* refill(source)
    if (source.head !== undefined) heap.push(source)
  }
  for (let position = heap.length - 1; position >= 0; position--) sink(heap, position)

  /** An index that has ended leaves the heap. */
  const settle = () => {
    if (heap[0]!.head === undefined) {
      const last = heap.pop()!
      if (heap.length === 0) return
      heap[0] = last
    }
    sink(heap, 0)
  }
  return {
    peek: () => heap[0]?.head,
    take: () => {
      const source = heap[0]!
      if (fromText(source)) {
        sink(heap, 0)
        return undefined
      }
      return Effect.map(refill(source), settle)
    }
  }
})

/** Tells `body` of all documents of a part, in order of id, until it answers that one can't be. */
export const forEach = (
  place: Files.Place,
  chunks: ReadonlyArray<Chunk>,
  body: (document: Located) => BackupDamaged | undefined
): Effect.Effect<void, Failure | BackupDamaged> =>
  Effect.scoped(
    Effect.gen(function* () {
      const reader = yield* open(place, chunks)
      for (let head = reader.peek(); head !== undefined; head = reader.peek()) {
        const refused = body(head)
        if (refused !== undefined) return yield* refused
        const more = reader.take()
        if (more !== undefined) yield* more
      }
    })
  )
