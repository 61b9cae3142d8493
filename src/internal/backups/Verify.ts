/** Reads a part and believes nothing: docs/backup-format.md, "What a reader checks". */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { BackupDamaged, type BackupReadError, BackupTooNew, BackupUnknown } from "../../BackupError.ts"
import { type Chunk as StoredChunk, Manifest } from "../../BackupManifest.ts"
import type { Methods as Storage } from "../../BackupStorage.ts"
import { Collection } from "../../Collection.ts"
import * as DatabaseHash from "../../DatabaseHash.ts"
import * as DocumentText from "../DocumentText.ts"
import * as ExactJson from "../ExactJson.ts"
import { type Sum, sha256, sum } from "../Hash.ts"
import * as Progress from "../Progress.ts"
import * as Chunk from "./Chunk.ts"
import * as Files from "./Files.ts"
import * as Format from "./Format.ts"
import * as Index from "./Index.ts"

/** A part that can be read: its manifest is as it was written. */
export interface Part {
  readonly manifest: Manifest
  readonly place: Files.Place
}

/** A manifest is no longer than this: it names about 500 bytes of files for each chunk. */
const longestManifest = 64 * 1024 * 1024
/** Bytes of documents in a chunk, at most: eight MiB and one very long document. */
const longestChunk = 512 * 1024 * 1024

const decodeManifest = Schema.decodeUnknownEffect(Manifest, { onExcessProperty: "error" })
const decodeCollection = Schema.decodeUnknownEffect(Collection, { onExcessProperty: "error" })

/** Names and numbers that can't be right, whatever is in the files. */
const implausible = ({ absent, chunks, collection, backup, documents, encryption, hashes, schema }: Manifest) => {
  if (!Format.backupId.test(backup)) return `${JSON.stringify(backup)} is no id of a backup`
  if (!Format.collectionId.test(collection)) return `${JSON.stringify(collection)} is no id of a collection`
  if (absent) {
    const isEmpty = documents === 0 && chunks.length === 0 && schema === null && hashes === null
    return isEmpty ? undefined : "it says that there was no collection, and yet names files of one"
  }
  if (schema === null || hashes === null) return "it names no schema"
  const files = [schema, ...chunks.flatMap((chunk) => [chunk, chunk.index])]
  const names = files.map(({ name }) => name)
  const bad = names.find(
    (name) => !Format.isFileName(name) || name.endsWith(Format.encryptedSuffix) !== (encryption !== null)
  )
  if (bad !== undefined) return `${JSON.stringify(bad)} is no name of a file of a backup`
  if (new Set(names).size !== names.length) return "it names a file twice"
  const huge = chunks.find(({ rawBytes }) => rawBytes > longestChunk)
  if (huge !== undefined) return `${huge.name} would decompress to ${huge.rawBytes} bytes, more than a chunk has`
  const counted = chunks.reduce((count, chunk) => count + chunk.documents, 0)
  return counted === documents ? undefined : `it says ${documents} documents in all, and its chunks have ${counted}`
}

/** Opens the part at `<backup>/<collection>/`. */
export const open = Effect.fnUntraced(function* (
  storage: Storage,
  prefix: string
): Effect.fn.Return<Part, BackupReadError> {
  const name = `${prefix}${Format.manifestName}`
  const location = storage.locationOf(name)
  const damaged = (detail: string) => new BackupDamaged({ location, detail })
  const bytes = yield* Effect.catchTag(Files.atMost(storage, name, longestManifest), "BackupObjectMissing", () =>
    Effect.fail(new BackupUnknown({ backup: prefix.slice(0, -1), detail: `there is no ${location}` }))
  )
  const value = yield* Effect.try({
    try: () => JSON.parse(new TextDecoder("utf8", { fatal: true }).decode(bytes)) as unknown,
    catch: () => damaged("it is no JSON")
  })
  if (typeof value === "object" && value !== null && "format" in value && typeof value.format === "number") {
    if (value.format > 1) return yield* new BackupTooNew({ location, format: value.format })
  }
  const manifest = yield* Effect.mapError(decodeManifest(value), ({ message }) =>
    damaged(`it is no manifest of format 1: ${message}`)
  )
  const keys = yield* Files.keysFor(manifest, location)
  if (keys === undefined && sha256(Format.sealedText(manifest)) !== manifest.seal) {
    return yield* damaged("its seal is not that of its members: it was changed since it was written")
  }
  const detail = implausible(manifest)
  if (detail !== undefined) return yield* damaged(detail)
  if (`${manifest.backup}/${manifest.collection}/` !== prefix) {
    return yield* damaged(`it belongs to ${manifest.backup}/${manifest.collection}: bring it back to where it was`)
  }
  return { manifest, place: { storage, prefix, keys } }
})

/** The schema of a part; undefined of an absent collection. */
export const schemaOf = Effect.fnUntraced(function* ({
  manifest: { schema },
  place
}: Part): Effect.fn.Return<Collection | undefined, BackupReadError> {
  if (schema === null) return undefined
  const bytes = yield* Files.read(place, schema)
  const damaged = (detail: string) => Files.damaged(place, schema.name, detail)
  const value = yield* Effect.try({
    try: () => ExactJson.parse(new TextDecoder("utf8", { fatal: true }).decode(bytes)),
    catch: () => damaged("it is no JSON")
  })
  return yield* Effect.mapError(decodeCollection(value), ({ message }) => damaged(`it is no schema: ${message}`))
})

/** Lines of a chunk, without their line feeds. */
const linesOf = (raw: Buffer): ReadonlyArray<Buffer> => {
  const lines: Array<Buffer> = []
  for (let start = 0; start < raw.length;) {
    const end = raw.indexOf(0x0a, start)
    if (end < 0) return [...lines, raw.subarray(start)]
    lines.push(raw.subarray(start, end))
    start = end + 1
  }
  return lines
}

/** One chunk and its index: each is as it was written, and they speak of the same documents. */
const checkChunk = Effect.fnUntraced(function* (
  place: Files.Place,
  chunk: StoredChunk,
  exact: Sum,
  content: Sum | undefined
): Effect.fn.Return<void, BackupReadError> {
  const damaged = (detail: string) => Files.damaged(place, chunk.name, detail)
  const raw = yield* Files.readChunk(place, chunk)
  const lines = linesOf(raw)
  if (lines.length !== chunk.documents) {
    return yield* damaged(`it holds ${lines.length} documents, and the manifest says ${chunk.documents}`)
  }
  const text = Buffer.from(yield* Files.read(place, chunk.index)).toString("utf8")
  const wrongIndex = (detail: string) => Files.damaged(place, chunk.index.name, detail)
  const wrong = Format.wrongIndexLine(text)
  if (wrong !== undefined) return yield* wrongIndex(`${JSON.stringify(wrong.slice(0, 200))} can't stand there`)
  const entries = text.split("\n")
  if (entries.pop() !== "" || entries.length !== lines.length) {
    return yield* wrongIndex(`it has ${entries.length} lines for ${lines.length} documents`)
  }
  const seen = new Uint8Array(lines.length)
  let last = ""
  for (const line of entries) {
    const entry = Format.readIndexLine(line)
    const key = Format.sortableId(entry.id)
    const document = lines[entry.line]
    if (document === undefined || seen[entry.line] === 1 || key <= last) {
      return yield* wrongIndex(`${JSON.stringify(line.slice(0, 200))} can't stand there`)
    }
    seen[entry.line] = 1
    last = key
    const isRight =
      sha256(document) === entry.exact &&
      document.toString("latin1", Format.idStart, Format.idStart + entry.id.length + 1) === `${entry.id}"`
    if (!isRight) return yield* damaged(`the document ${entry.id} is not the one that the index names`)
    exact.add(entry.exact)
    content?.add(sha256(DocumentText.withoutDates(document.toString("utf8"))))
  }
  Chunk.release(raw)
})

/**
 * Checks every byte of a part; answers its schema. Memory: one chunk, whatever the size. `content`: also the hash
 * without dates, which a restore does not need.
 */
export const check = Effect.fnUntraced(function* (
  part: Part,
  options: { readonly content: boolean }
): Effect.fn.Return<Collection | undefined, BackupReadError> {
  const { manifest, place } = part
  const schema = yield* schemaOf(part)
  if (schema === undefined || manifest.hashes === null) return undefined
  const progress = yield* Progress.start(`verifying ${manifest.collection}`, manifest.documents)
  const exact = sum()
  const content = options.content ? sum() : undefined
  yield* Effect.forEach(
    manifest.chunks,
    (chunk) =>
      Effect.andThen(
        checkChunk(place, chunk, exact, content),
        Effect.andThen(progress.advance(chunk.documents), Effect.yieldNow)
      ),
    { discard: true }
  ).pipe(Effect.ensuring(progress.finish))
  const damaged = (detail: string) => Files.damaged(place, Format.manifestName, detail)
  if (
    DatabaseHash.ofParts(schema, exact.text()) !== manifest.hashes.exact ||
    (content !== undefined && DatabaseHash.ofParts(schema, content.text()) !== manifest.hashes.content)
  ) {
    return yield* damaged("its hashes are not those of its schema and its documents")
  }
  let last: string | undefined
  yield* Index.forEach(place, manifest.chunks, ({ id, key }) => {
    if (key === last) return damaged(`the document ${id} is in it twice`)
    last = key
    return undefined
  })
  return schema
})
