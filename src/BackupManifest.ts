/** What a part of a backup says of itself: format 1, docs/backup-format.md. */
import * as Schema from "effect/Schema"
import { Target } from "./Operation.ts"

const Bytes = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const Digest = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))

/** A file as it is stored. */
export const File = Schema.Struct({ name: Schema.String, bytes: Bytes, sha256: Digest })
export type File = typeof File.Type

export const Chunk = Schema.Struct({
  ...File.fields,
  /** Before compression. */
  rawBytes: Bytes,
  documents: Bytes,
  index: File
})
export type Chunk = typeof Chunk.Type

/** `fuzzy`: read once. `converged`: read until two passes found the same. `quiesced`: that, and kept from users. */
export const Consistency = Schema.Literals(["fuzzy", "converged", "quiesced"])
export type Consistency = typeof Consistency.Type

export const Manifest = Schema.Struct({
  format: Schema.Literal(1),
  backup: Schema.String,
  collection: Schema.String,
  database: Schema.String,
  target: Target,
  /** For people. */
  reason: Schema.String,
  /** There was no such collection. */
  absent: Schema.Boolean,
  documents: Bytes,
  schema: Schema.NullOr(File),
  chunks: Schema.Array(Chunk),
  hashes: Schema.NullOr(Schema.Struct({ exact: Digest, content: Digest })),
  consistency: Schema.Struct({ asked: Consistency, reached: Consistency, passes: Bytes }),
  timings: Schema.Struct({ started: Schema.String, finished: Schema.String, milliseconds: Schema.Finite }),
  encryption: Schema.NullOr(
    Schema.Struct({
      cipher: Schema.Literal("aes-256-gcm"),
      kdf: Schema.Literal("hkdf-sha256"),
      salt: Digest
    })
  ),
  seal: Digest
})
export type Manifest = typeof Manifest.Type
