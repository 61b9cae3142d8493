/** Files of one part: written with their lengths and digests, read back only if those are right. */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { gunzip as gunzipCallback, gzip as gzipCallback } from "node:zlib"
import { BackupDamaged, BackupSecretWrong } from "../../BackupError.ts"
import type { Chunk, File, Manifest } from "../../BackupManifest.ts"
import { BackupSecret } from "../../BackupSecret.ts"
import type { BackupStorageError, Methods } from "../../BackupStorage.ts"
import { sha256 } from "../Hash.ts"
import { release } from "./Chunk.ts"
import * as Cipher from "./Cipher.ts"
import * as Format from "./Format.ts"

/** Where a part is, and the keys that it is encrypted with. */
export interface Place {
  readonly storage: Methods
  /** `<backup>/<collection>/` */
  readonly prefix: string
  readonly keys: Cipher.Keys | undefined
}

type ReadError = BackupDamaged | BackupSecretWrong | BackupStorageError

const whole = ({ prefix }: Place, name: string): string => `${prefix}${name}`
export const locationOf = (place: Place, name: string): string => place.storage.locationOf(whole(place, name))
export const damaged = (place: Place, name: string, detail: string): BackupDamaged =>
  new BackupDamaged({ location: locationOf(place, name), detail })

/** Fast rather than small: the next pages are read meanwhile. In few pieces: each costs a turn of the event loop. */
const compression = { level: 1, chunkSize: 2 * 1024 * 1024 }
/** A chunk decompresses in one piece, if it is of the usual size. */
const largestPiece = 16 * 1024 * 1024

export const gzip = (bytes: Uint8Array): Effect.Effect<Uint8Array> =>
  Effect.callback((resume) => {
    gzipCallback(bytes, compression, (error, packed) =>
      resume(
        error === null
          ? Effect.succeed(new Uint8Array(packed.buffer, packed.byteOffset, packed.length))
          : Effect.die(error)
      )
    )
  })

/** No further than `most` bytes; what is wrong with it otherwise. */
const gunzip = (bytes: Uint8Array, most: number): Effect.Effect<Buffer, string> =>
  Effect.callback((resume) => {
    // A byte more than there should be, so that it ends without another piece.
    const chunkSize = Math.max(1024, Math.min(most + 1, largestPiece))
    gunzipCallback(bytes, { maxOutputLength: Math.max(1, most), chunkSize }, (error, raw) => {
      if (error === null) return resume(Effect.succeed(raw))
      const isTooLong = "code" in error && error.code === "ERR_BUFFER_TOO_LARGE"
      resume(Effect.fail(isTooLong ? `it holds more than the ${most} bytes that the manifest says` : error.message))
    })
  })

/** Stores a file of a part, encrypted where it has keys. */
export const write = Effect.fnUntraced(function* (place: Place, name: string, bytes: Uint8Array) {
  const secret = yield* BackupSecret
  const stored = place.keys === undefined || secret === undefined ? name : `${name}${Format.encryptedSuffix}`
  const content =
    place.keys === undefined || secret === undefined
      ? bytes
      : Cipher.encrypt(place.keys, yield* secret.random(Cipher.nonceBytes), whole(place, stored), bytes)
  yield* place.storage.put(whole(place, stored), Stream.make(content))
  return { name: stored, bytes: content.length, sha256: sha256(content) }
})

/** A whole object, or a little more than `most` bytes of it: who knows what stands there now. */
export const atMost = Effect.fnUntraced(function* (
  storage: Methods,
  name: string,
  most: number
): Effect.fn.Return<Uint8Array, BackupStorageError> {
  let length = 0
  const pieces: Array<Uint8Array> = []
  yield* storage.get(name).pipe(
    Stream.takeWhile((piece) => {
      pieces.push(piece)
      length += piece.length
      return length <= most
    }),
    Stream.runDrain
  )
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
})

/** A whole file as it was written, if it still is that. */
export const read = Effect.fnUntraced(function* (place: Place, file: File): Effect.fn.Return<Uint8Array, ReadError> {
  const stored = yield* atMost(place.storage, whole(place, file.name), file.bytes)
  const { length } = stored
  if (length !== file.bytes) {
    const found = length > file.bytes ? `more than ${file.bytes}` : String(length)
    return yield* damaged(place, file.name, `it has ${found} bytes, and the manifest says ${file.bytes}`)
  }
  if (sha256(stored) !== file.sha256) {
    return yield* damaged(place, file.name, "its SHA-256 is not the one in the manifest")
  }
  if (place.keys === undefined) return stored
  const plain = Cipher.decrypt(place.keys, whole(place, file.name), stored)
  if (plain !== undefined) return plain
  return yield* damaged(place, file.name, "its authentication tag is wrong")
})

/** Bytes of the documents of a chunk, each with a line feed. */
export const readChunk = Effect.fnUntraced(function* (place: Place, chunk: Chunk): Effect.fn.Return<Buffer, ReadError> {
  const packed = yield* read(place, chunk)
  const raw = yield* Effect.mapError(gunzip(packed, chunk.rawBytes), (detail) => damaged(place, chunk.name, detail))
  release(packed)
  if (raw.length !== chunk.rawBytes) {
    const detail = `it holds ${raw.length} bytes, and the manifest says ${chunk.rawBytes}`
    return yield* damaged(place, chunk.name, detail)
  }
  return raw
})

/** So much of an index is in memory at once; many are open together. */
const indexPiece = 16 * 1024

/** The text of an index, a little at a time. */
export const readIndex = (place: Place, file: File): Stream.Stream<string, BackupStorageError> =>
  Stream.suspend(() => {
    const stored = place.storage.get(whole(place, file.name), { pieceSize: indexPiece })
    const { keys } = place
    const decrypt = keys === undefined ? undefined : Cipher.decrypting(keys, whole(place, file.name))
    return Stream.decodeText(decrypt === undefined ? stored : Stream.map(stored, decrypt))
  })

/** The keys of an encrypted part, if the secret that is given is the one that sealed it. */
export const keysFor = Effect.fnUntraced(function* (
  { encryption, seal, ...rest }: Manifest,
  location: string
): Effect.fn.Return<Cipher.Keys | undefined, BackupSecretWrong> {
  if (encryption === null) return undefined
  const secret = yield* BackupSecret
  if (secret === undefined) return yield* new BackupSecretWrong({ location, detail: "no secret is given" })
  const keys = Cipher.keysOf(Redacted.value(secret.secret), Buffer.from(encryption.salt, "hex"))
  if (Cipher.seal(keys, Format.sealedText({ ...rest, encryption })) === seal) return keys
  return yield* new BackupSecretWrong({
    location,
    detail: "the secret is another one, or the manifest was changed since"
  })
})
