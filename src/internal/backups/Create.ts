/**
 * Copies a collection into a part of a backup: documents in order of creation, a chunk at a time, the manifest last.
 *
 * To converge, passes are repeated until one finds every chunk as the pass before had left it: then at the moment
 * between the two, all chunks stood like that together. (Afek and others, "Atomic Snapshots of Shared Memory", 1993:
 * the double collect.)
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import type { Chunk, Consistency, Manifest } from "../../BackupManifest.ts"
import { BackupSecret } from "../../BackupSecret.ts"
import type { BackupNameRefused, BackupStorageUnavailable, Methods as Storage } from "../../BackupStorage.ts"
import type { Collection } from "../../Collection.ts"
import type { Methods } from "../../Databases.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { Document } from "../../Document.ts"
import * as Query from "../../Query.ts"
import * as DocumentText from "../DocumentText.ts"
import { type Sum, sha256, sum } from "../Hash.ts"
import * as Paging from "../Paging.ts"
import * as Progress from "../Progress.ts"
import * as Cipher from "./Cipher.ts"
import * as Files from "./Files.ts"
import * as Format from "./Format.ts"

export interface Options {
  readonly databases: Methods
  readonly storage: Storage
  readonly backup: string
  readonly collection: string
  readonly reason: string
  /** `quiesced`: the caller has disabled the collection, and `schema` is how it was before. */
  readonly consistency: Consistency
}

type Failure = DatabasesError | BackupStorageUnavailable | BackupNameRefused

/** Passes after which a collection that is never still is taken as it is. */
const mostPasses = 10
/** Characters of documents in a page, about; a page has at most 1000. */
const pageSize = 2 * 1024 * 1024
/** Chunks that are compressed and stored while the next documents are read. */
const inFlight = 2

/** A chunk that is stored, and which part of the order of creation it covers. */
interface Stored extends Chunk {
  /** `$sequence`s: beyond `after`, up to and with `last`. */
  readonly after: string | undefined
  readonly last: string
  /** Of the documents, before compression. */
  readonly digest: string
  readonly exact: Sum
  readonly content: Sum
}

interface Entry extends Omit<Format.IndexEntry, "line"> {
  readonly text: string
}

const toEntry = (document: Document): Entry => {
  const texts = DocumentText.texts(document)
  return {
    text: texts.exact,
    exact: sha256(texts.exact),
    content: sha256(texts.content),
    sequence: document.$sequence,
    id: document.$id
  }
}

const byId = (left: Format.IndexEntry, right: Format.IndexEntry): number =>
  Format.sortableId(left.id) < Format.sortableId(right.id) ? -1 : 1

const rawOf = (entries: ReadonlyArray<Entry>): Buffer => Buffer.from(`${entries.map(({ text }) => text).join("\n")}\n`)

/** Documents beyond `after`, up to and with `last`, in order of creation. */
const documents = (databases: Methods, collection: string) => {
  // By what documents took so far, so that a page of large ones is a short one.
  let [read, characters] = [0, 0]
  return {
    sizes: (entries: ReadonlyArray<Entry>): void => {
      read += entries.length
      for (const { text } of entries) characters += text.length
    },
    page: (
      after: string | undefined,
      last: string | undefined
    ): Effect.Effect<ReadonlyArray<Document>, DatabasesError> => {
      const size = read === 0 ? 100 : Math.floor(pageSize / Math.max(1, characters / read))
      return Effect.map(
        databases.listDocuments(
          collection,
          [
            ...(after === undefined ? [] : [Query.greaterThan("$sequence", after)]),
            ...(last === undefined ? [] : [Query.lessThanEqual("$sequence", last)]),
            Query.orderAsc("$sequence"),
            Query.limit(Math.min(1000, Math.max(1, size)))
          ],
          { total: false }
        ),
        (list) => list.documents
      )
    }
  }
}

const store = Effect.fnUntraced(function* (
  place: Files.Place,
  number: number,
  entries: ReadonlyArray<Entry>,
  after: string | undefined
): Effect.fn.Return<Stored, Failure> {
  const raw = rawOf(entries)
  const [exact, content] = [sum(), sum()]
  for (const entry of entries) {
    exact.add(entry.exact)
    content.add(entry.content)
  }
  const digest = sha256(raw)
  const lines = entries.map((entry, line): Format.IndexEntry => ({ ...entry, line })).toSorted(byId)
  const file = yield* Files.write(place, Format.names.chunk(number), yield* Files.gzip(raw))
  const text = `${lines.map(Format.indexLine).join("\n")}\n`
  const index = yield* Files.write(place, Format.names.index(number), Buffer.from(text))
  return {
    ...file,
    rawBytes: raw.length,
    documents: entries.length,
    index,
    after,
    last: entries.at(-1)!.sequence,
    digest,
    exact,
    content
  }
})

/** Stores what stands beyond `after`, in new chunks. */
const copy = Effect.fnUntraced(function* (
  { collection, databases }: Options,
  place: Files.Place,
  from: string | undefined,
  firstNumber: number,
  advance: (page: ReadonlyArray<Document>) => Effect.Effect<void>
): Effect.fn.Return<ReadonlyArray<Stored>, Failure> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const source = documents(databases, collection)
      const done: Array<Stored> = []
      const pending: Array<Fiber.Fiber<Stored, Failure>> = []
      let entries: Array<Entry> = []
      let [size, number] = [0, firstNumber]
      let [after, start] = [from, from]
      const finish = Effect.fnUntraced(function* () {
        if (pending.length >= inFlight) done.push(yield* Fiber.join(pending.shift()!))
        pending.push(yield* Effect.forkScoped(store(place, number++, entries, start)))
        start = entries.at(-1)!.sequence
        entries = []
        size = 0
      })
      for (;;) {
        const page = yield* source.page(after, undefined)
        if (page.length === 0) break
        const fresh: Array<Entry> = []
        for (const document of page) {
          const entry = toEntry(document)
          fresh.push(entry)
          entries.push(entry)
          size += entry.text.length
          if (size >= Format.chunkSize) yield* finish()
        }
        source.sizes(fresh)
        after = page.at(-1)!.$sequence
        yield* advance(page)
        // SQLite answers in this very thread: let signals and what is being stored go on in between.
        yield* Effect.yieldNow
      }
      if (entries.length > 0) yield* finish()
      for (const fiber of pending) done.push(yield* Fiber.join(fiber))
      return done
    })
  )
})

/** Reads a chunk's part again; stores it again where it is no longer the same. Null: nothing of it is left. */
const readAgain = Effect.fnUntraced(function* (
  { collection, databases }: Options,
  place: Files.Place,
  chunk: Stored,
  number: number
): Effect.fn.Return<Stored | null, Failure> {
  const source = documents(databases, collection)
  const entries: Array<Entry> = []
  let { after } = chunk
  for (;;) {
    const page = yield* source.page(after, chunk.last)
    if (page.length === 0) break
    const fresh = page.map(toEntry)
    entries.push(...fresh)
    source.sizes(fresh)
    after = page.at(-1)!.$sequence
    yield* Effect.yieldNow
  }
  if (entries.length === 0) return null
  if (sha256(rawOf(entries)) === chunk.digest) return chunk
  return { ...(yield* store(place, number, entries, chunk.after)), last: chunk.last }
})

const total = (chunks: ReadonlyArray<Stored>, kind: DatabaseHash.Kind): string => {
  const all = sum()
  for (const chunk of chunks) all.include(chunk[kind])
  return all.text()
}

const removeFiles = (place: Files.Place, chunk: Stored) =>
  Effect.forEach([chunk.name, chunk.index.name], (name) => place.storage.remove(`${place.prefix}${name}`), {
    discard: true
  })

/** Copies a collection, or says that there is none; its manifest is in the storage when this answers. */
export const create = Effect.fnUntraced(function* (options: Options, schema: Collection | undefined) {
  const { backup, collection, consistency, databases, reason, storage } = options
  const started = yield* Clock.currentTimeMillis
  const secret = yield* BackupSecret
  const salt = secret === undefined ? undefined : yield* secret.random(Cipher.saltBytes)
  const keys =
    secret === undefined || salt === undefined ? undefined : Cipher.keysOf(Redacted.value(secret.secret), salt)
  const id = schema?.$id ?? collection
  const place: Files.Place = { storage, prefix: `${backup}/${id}/`, keys }
  const target = yield* databases.describeTarget
  const isQuiesced = consistency === "quiesced"

  const body = Effect.fnUntraced(function* (record: Collection) {
    const extent = yield* Paging.extent(databases, collection)
    const progress = yield* Progress.start(`backing up ${id}`, extent.total)
    const advance = (page: ReadonlyArray<Document>) => progress.advance(page.length, extent.fraction(page.at(-1)!))
    let current = record
    let chunks = yield* copy(options, place, undefined, 1, advance)
    yield* progress.finish
    let next = chunks.length + 1
    let [passes, isStill] = [1, false]
    while (consistency !== "fuzzy" && !isStill && passes < mostPasses) {
      passes++
      isStill = true
      const again: Array<Stored> = []
      for (const chunk of chunks) {
        const number = Number(/\d{6}/.exec(chunk.name)![0])
        const found = yield* readAgain(options, place, chunk, number)
        if (found !== chunk) isStill = false
        if (found === null) yield* removeFiles(place, chunk)
        else again.push(found)
      }
      const more = yield* copy(options, place, chunks.at(-1)?.last, next, () => Effect.void)
      if (more.length > 0) isStill = false
      next += more.length
      chunks = [...again, ...more]
      // A quiesced collection is disabled by us.
      const now = {
        ...(yield* databases.getCollection(collection)),
        ...(isQuiesced ? { enabled: record.enabled } : {})
      }
      if (DatabaseHash.ofParts(now, "") !== DatabaseHash.ofParts(current, "")) isStill = false
      current = now
    }
    return { record: current, chunks, passes, isStill }
  })

  const made = schema === undefined ? undefined : yield* body(schema)
  const schemaFile =
    made === undefined
      ? null
      : yield* Files.write(place, Format.names.schema, Buffer.from(Format.schemaText(made.record)))
  const finished = yield* Clock.currentTimeMillis
  const chunks = made?.chunks ?? []
  const reached: Consistency = made === undefined || made.isStill ? consistency : "fuzzy"
  const manifest: Omit<Manifest, "seal"> = {
    format: 1,
    backup,
    collection: id,
    database: databases.databaseId,
    target,
    reason,
    absent: made === undefined,
    documents: chunks.reduce((count, chunk) => count + chunk.documents, 0),
    schema: schemaFile,
    chunks: chunks.map(({ bytes, documents: count, index, name, rawBytes, sha256: digest }) => ({
      name,
      bytes,
      sha256: digest,
      rawBytes,
      documents: count,
      index
    })),
    hashes:
      made === undefined
        ? null
        : {
            exact: DatabaseHash.ofParts(made.record, total(chunks, "exact")),
            content: DatabaseHash.ofParts(made.record, total(chunks, "content"))
          },
    consistency: { asked: consistency, reached, passes: made?.passes ?? 0 },
    timings: {
      started: new Date(started).toISOString(),
      finished: new Date(finished).toISOString(),
      milliseconds: finished - started
    },
    encryption:
      salt === undefined ? null : { cipher: "aes-256-gcm", kdf: "hkdf-sha256", salt: Buffer.from(salt).toString("hex") }
  }
  const text = Format.sealedText(manifest)
  const sealed: Manifest = { ...manifest, seal: keys === undefined ? sha256(text) : Cipher.seal(keys, text) }
  const bytes = Buffer.from(`${JSON.stringify(sealed, undefined, 2)}\n`)
  yield* storage.put(`${place.prefix}${Format.manifestName}`, Stream.make(bytes))
  return sealed
})
