/** Backups on disk, and what can happen to their files. A forger seals the manifest anew. */
import * as Effect from "effect/Effect"
import { createHash } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import * as Attribute from "../../src/Attribute.ts"
import { Databases } from "../../src/Databases.ts"
import { canonicalJson } from "../../src/internal/CanonicalJson.ts"

export type Manifest = any
export const sha256 = (bytes: string | Uint8Array) => createHash("sha256").update(bytes).digest("hex")

/** A part on disk. */
export interface Part {
  readonly home: string
  readonly file: (name: string) => string
  readonly manifest: () => Manifest
  /** Writes the manifest, sealed as its writer would. */
  readonly seal: (change: (manifest: Manifest) => void) => void
}
export const partOf = (backupFile: string): Part => {
  const home = dirname(backupFile)
  const file = (name: string) => join(home, name)
  const manifest = () => JSON.parse(readFileSync(backupFile, "utf8"))
  return {
    home,
    file,
    manifest,
    seal: (change) => {
      const value = manifest()
      change(value)
      const { seal: _seal, ...rest } = value
      writeFileSync(backupFile, JSON.stringify({ ...rest, seal: sha256(canonicalJson(rest)) }))
    }
  }
}

export const flip = (file: string, at: (length: number) => number) => {
  const bytes = readFileSync(file)
  const position = at(bytes.length)
  bytes[position] = bytes[position]! ^ 0x10
  writeFileSync(file, bytes)
}
export const middle = (length: number) => Math.floor(length / 2)
export const last = (length: number) => length - 1

/** Puts other documents into the chunk, and says so wherever a forger can. */
export const forge = (
  part: Part,
  name: string,
  change: (lines: Array<string>) => ReadonlyArray<string>,
  pack = gzipSync
) => {
  const raw = gunzipSync(readFileSync(part.file(name)))
    .toString("utf8")
    .trimEnd()
    .split("\n")
  const text = `${change(raw).join("\n")}\n`
  const packed = pack(text)
  writeFileSync(part.file(name), packed)
  part.seal(({ chunks }) => {
    Object.assign(chunks[0], { bytes: packed.length, sha256: sha256(packed), rawBytes: Buffer.byteLength(text) })
  })
}
export const forgeIndex = (part: Part, name: string, change: (lines: Array<string>) => ReadonlyArray<string>) => {
  const text = `${change(readFileSync(part.file(name), "utf8").trimEnd().split("\n")).join("\n")}\n`
  writeFileSync(part.file(name), text)
  part.seal(({ chunks }) => {
    chunks[0].index = { ...chunks[0].index, bytes: Buffer.byteLength(text), sha256: sha256(text) }
  })
}

export const chunk = "documents-000001.ndjson.gz"
export const index = "documents-000001.index"
export const schema = "schema.json"
export const manifest = "manifest.json"

export const setUp = Effect.gen(function* () {
  const db = yield* Databases
  yield* db.createCollection("people", { attributes: [Attribute.string("name", { size: 40 })] })
  yield* db.createDocuments(
    "people",
    Array.from({ length: 50 }, (_, number) => ({ $id: `p${number}`, name: `name ${number}` }))
  )
  return db
})
