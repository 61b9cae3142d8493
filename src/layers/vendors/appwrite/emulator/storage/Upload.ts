/**
 * Uploads: a file in one call, or in chunks that come in any order, at once, and again.
 *
 *   (none) ── first chunk ──▶ incomplete(some of n) ── the chunk that was missing ──▶ complete
 *
 * An incomplete file is listed without a signature and cannot be downloaded. A chunk onto a complete file answers 200
 * and changes nothing; a whole file onto a complete one is refused.
 */
import { extname } from "node:path"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { uniqueId } from "../../../../../Databases.ts"
import { formatDateTime } from "../../../../../internal/DateTimeText.ts"
import type { ApiFailure } from "../ApiFailure.ts"
import { type Answer, type Call, json } from "../Call.ts"
import * as Params from "../Params.ts"
import * as Permissions from "../Permissions.ts"
import { changedAt } from "./Buckets.ts"
import * as Ranges from "./Ranges.ts"
import * as Refusals from "./Refusals.ts"
import type { Bucket, File, Store, Stored } from "./Store.ts"

/** Files above it are neither encrypted nor compressed. */
const largestEncrypted = 20_000_000

/** What is asked for, checked against the bucket. */
interface Request {
  readonly id: string
  readonly name: string
  readonly bytes: Uint8Array
  readonly permissions: ReadonlyArray<string> | null
  readonly chunk: Ranges.Chunk
  /** With a `Content-Range`. */
  readonly chunked: boolean
}

const whole = (bytes: Uint8Array): Ranges.Chunk => ({ number: 1, total: 1, size: bytes.length })

const chunkOf = (call: Call, bytes: Uint8Array): Effect.Effect<Ranges.Chunk, ApiFailure> => {
  const header = call.headers["content-range"] ?? ""
  const chunk = header === "" ? whole(bytes) : Ranges.chunkOf(header)
  return chunk === undefined ? Effect.fail(Refusals.contentRangeInvalid) : Effect.succeed(chunk)
}

const idOf = (call: Call, given: string): Effect.Effect<string, ApiFailure> => {
  const header = call.headers["x-appwrite-id"] ?? ""
  if (header !== "" && (call.headers["content-range"] ?? "") !== "") {
    return Params.isId(header) ? Effect.succeed(header) : Effect.fail(Refusals.appwriteIdInvalid)
  }
  return given === "unique()" ? uniqueId : Effect.succeed(given)
}

const bucketProblem = (bucket: Bucket, name: string, size: number): ApiFailure | undefined => {
  const allowed = bucket.allowedFileExtensions.map((extension) => extension.toLowerCase())
  if (allowed.length > 0 && !allowed.includes(extname(name).slice(1).toLowerCase())) {
    return Refusals.fileTypeUnsupported
  }
  return size > bucket.maximumFileSize ? Refusals.fileTooLarge : undefined
}

const started = (bucket: Bucket, request: Request, now: number): File => ({
  $id: request.id,
  bucketId: bucket.$id,
  $createdAt: formatDateTime(now),
  $updatedAt: formatDateTime(now),
  $permissions: request.permissions ?? [],
  name: request.name,
  signature: "",
  mimeType: "",
  sizeOriginal: request.chunk.size,
  sizeActual: 0,
  chunksTotal: request.chunk.total,
  chunksUploaded: 0,
  encryption: false,
  compression: ""
})

/** Encrypted files lie as Base64. */
const actualSize = (encrypted: boolean, size: number) => (encrypted ? Math.ceil(size / 3) * 4 : size)

const completed = (store: Store, bucket: Bucket, { sequence, value }: Stored<File>): File => {
  const { mimeType, signature, size } = store.chunks.summary(sequence)
  const small = value.sizeOriginal <= largestEncrypted
  const encryption = bucket.encryption && small
  return {
    ...value,
    signature,
    mimeType,
    sizeActual: actualSize(encryption, size),
    chunksUploaded: value.chunksTotal,
    encryption,
    compression: small ? bucket.compression : "none"
  }
}

export interface Options {
  /** The permissions of the last chunk to arrive count, even if it has none. */
  readonly quirks: boolean
}

const permissionsAfter = (file: File, request: Request, { quirks }: Options) =>
  request.permissions ?? (quirks ? [] : file.$permissions)

/** Keeps the chunk, and completes the file where it was the last one missing. */
const keep = (store: Store, bucket: Stored<Bucket>, request: Request, now: number, options: Options): File =>
  store.write(() => {
    const known = store.files.get(bucket.sequence, request.id)
    const before = known?.value ?? started(bucket.value, request, now)
    const sequence = known?.sequence ?? store.files.insert(bucket.sequence, before)
    store.chunks.put(sequence, request.chunk.number, request.bytes)
    const chunksUploaded = store.chunks.count(sequence)
    if (chunksUploaded === before.chunksUploaded && chunksUploaded < before.chunksTotal) return before
    // A file in one call is there at once; one in chunks is made first and changed then.
    const $updatedAt = request.chunked ? changedAt(now, before.$updatedAt) : before.$updatedAt
    const changed = { ...before, $updatedAt, chunksUploaded }
    const file =
      chunksUploaded < before.chunksTotal
        ? changed
        : completed(store, bucket.value, {
            sequence,
            value: { ...changed, $permissions: permissionsAfter(before, request, options) }
          })
    store.files.update(sequence, file)
    return file
  })

/** Who may, whether the permissions may be granted, what comes: in the server's order. */
const requestOf = (bucket: Bucket, call: Call, given: string, permissions: ReadonlyArray<string> | null) =>
  Effect.gen(function* () {
    const refusal =
      Permissions.refusal(call.caller, bucket.$permissions, "create") ??
      Permissions.grantRefusal(call.caller, permissions ?? [])
    if (refusal !== undefined) return yield* refusal
    const file = call.files.find(({ field }) => field === "file" || field === "file[]" || field === "file[0]")
    if (file === undefined) return yield* Refusals.fileEmpty
    const chunk = yield* chunkOf(call, file.bytes)
    const id = yield* idOf(call, given)
    const problem = bucketProblem(bucket, file.name, chunk.size)
    if (problem !== undefined) return yield* problem
    const { bytes, name } = file
    return { id, name, bytes, permissions, chunk, chunked: (call.headers["content-range"] ?? "") !== "" }
  })

/** The call that brings a file, or a chunk of it. */
export const upload = (
  store: Store,
  bucket: Stored<Bucket>,
  call: Call,
  values: { readonly fileId: string; readonly permissions: ReadonlyArray<string> | null },
  options: Options
): Effect.Effect<Answer, ApiFailure> =>
  Effect.gen(function* () {
    const request = yield* requestOf(bucket.value, call, values.fileId, values.permissions)
    const known = store.files.get(bucket.sequence, request.id)?.value
    if (known !== undefined && known.chunksUploaded >= known.chunksTotal) {
      return request.chunked ? json(known) : yield* Refusals.fileExists
    }
    return json(keep(store, bucket, request, yield* Clock.currentTimeMillis, options), 201)
  })
