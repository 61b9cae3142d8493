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
import type { Chunk as StoredChunk, Consistency, Manifest } from "../../BackupManifest.ts"
import { BackupSecret } from "../../BackupSecret.ts"
import type { BackupNameRefused, BackupStorageUnavailable, Methods as Storage } from "../../BackupStorage.ts"
import type { Collection } from "../../Collection.ts"
import type { Methods } from "../../Databases.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import type { DatabasesError } from "../../DatabasesError.ts"
import type { Document } from "../../Document.ts"
import * as Query from "../../Query.ts"
import { type Sum, sha256, sum } from "../Hash.ts"
import * as Paging from "../Paging.ts"
import * as Progress from "../Progress.ts"
import * as Chunk from "./Chunk.ts"
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
/** Bytes of documents in a page, about; a page has at most 1000. */
const pageSize = 1024 * 1024
/** Chunks that are compressed and stored while the next documents are read. */
const inFlight = 2

/** A chunk that is stored, and which part of the order of creation it covers. */
interface Stored extends StoredChunk {
  /** `$sequence`s: beyond `after`, up to and with `last`. */
  readonly after: string | undefined
  readonly last: string
  /** Of the documents, before compression; none where they are read once. */
  readonly digest: string
  readonly exact: Sum
  readonly content: Sum
}

/** Documents beyond `after`, up to and with `last`, in order of creation, by pages of about one size in bytes. */
const pages = (databases: Methods, collection: string) => {
  let [read, bytes] = [0, 0]
  return {
    took: (size: number): void => {
      read++
      bytes += size
    },
    page: (
      after: string | undefined,
      last: string | undefined
    ): Effect.Effect<ReadonlyArray<Document>, DatabasesError> => {
      const size = read === 0 ? 100 : Math.floor(pageSize / (bytes / read))
      return Paging.page(databases, collection, "$sequence", after, {
        filters: last === undefined ? [] : [Query.lessThanEqual("$sequence", last)],
        pageSize: Math.min(1000, Math.max(1, size))
      })
    }
  }
}

/** Stores what a builder holds, and lets go of it. */
const store = Effect.fnUntraced(function* (
  place: Files.Place,
  number: number,
  builder: Chunk.Builder,
  after: string | undefined,
  isReadAgain: boolean
): Effect.fn.Return<Stored, Failure> {
  const { content, exact, last, length, size } = builder
  const raw = builder.raw()
  const digest = isReadAgain ? sha256(raw) : ""
  const packed = yield* Files.gzip(raw)
  const bytes = builder.index()
  builder.release()
  const file = yield* Files.write(place, Format.names.chunk(number), packed)
  Chunk.release(packed)
  const index = yield* Files.write(place, Format.names.index(number), bytes)
  Chunk.release(bytes)
  return { ...file, rawBytes: length, documents: size, index, after, last, digest, exact, content }
})

/** Stores what stands beyond `after`, in new chunks. */
const copy = Effect.fnUntraced(function* (
  { collection, consistency, databases }: Options,
  place: Files.Place,
  from: string | undefined,
  firstNumber: number,
  advance: (page: ReadonlyArray<Document>) => Effect.Effect<void>
): Effect.fn.Return<ReadonlyArray<Stored>, Failure> {
  return yield* Effect.scoped(
    Effect.gen(function* () {
      const source = pages(databases, collection)
      const done: Array<Stored> = []
      const pending: Array<Fiber.Fiber<Stored, Failure>> = []
      let builder = new Chunk.Builder()
      let number = firstNumber
      let [after, start] = [from, from]
      const finish = Effect.fnUntraced(function* () {
        if (pending.length >= inFlight) done.push(yield* Fiber.join(pending.shift()!))
        pending.push(yield* Effect.forkScoped(store(place, number++, builder, start, consistency !== "fuzzy")))
        start = builder.last
      })
      for (;;) {
        const page = yield* source.page(after, undefined)
        if (page.length === 0) break
        for (const document of page) {
          source.took(builder.add(document))
          if (builder.length < Format.chunkSize) continue
          yield* finish()
          builder = new Chunk.Builder()
        }
        after = page.at(-1)!.$sequence
        yield* advance(page)
        // SQLite answers in this very thread: let signals and what is being stored go on in between.
        yield* Effect.yieldNow
      }
      if (builder.size > 0) yield* finish()
      else builder.release()
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
  const source = pages(databases, collection)
  const builder = new Chunk.Builder()
  let { after } = chunk
  for (;;) {
    const page = yield* source.page(after, chunk.last)
    if (page.length === 0) break
    for (const document of page) source.took(builder.add(document))
    after = page.at(-1)!.$sequence
    yield* Effect.yieldNow
  }
  const isSame = builder.size > 0 && sha256(builder.raw()) === chunk.digest
  if (builder.size > 0 && !isSame) {
    return { ...(yield* store(place, number, builder, chunk.after, true)), last: chunk.last }
  }
  builder.release()
  return isSame ? chunk : null
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
    const most = consistency === "fuzzy" ? 1 : mostPasses
    while (!isStill && passes < most) {
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
