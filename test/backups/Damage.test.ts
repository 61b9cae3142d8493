/**
 * Backups that are not what they were: each is refused by name, before anything is written. The manifests are sealed
 * anew where a forger would do so.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync
} from "node:fs"
import * as Backup from "../../src/Backup.ts"
import { MigrationJournal } from "../../src/MigrationJournal.ts"
import {
  chunk,
  flip,
  forge,
  forgeIndex,
  index,
  last,
  manifest,
  middle,
  type Part,
  partOf,
  schema,
  setUp,
  sha256
} from "../support/Damaging.ts"
import { backups, exactHash, onFile, temporaryFolder } from "../support/Migrating.ts"

/** What is done to a part, the error, and a word of its message. */
const cases: ReadonlyArray<readonly [title: string, damage: (part: Part) => void, tag: string, word: string]> = [
  ["a flipped byte at the start of a chunk", (p) => flip(p.file(chunk), () => 0), "BackupDamaged", chunk],
  ["a flipped byte in the middle of a chunk", (p) => flip(p.file(chunk), middle), "BackupDamaged", "SHA-256"],
  ["a flipped byte at the end of a chunk", (p) => flip(p.file(chunk), last), "BackupDamaged", chunk],
  ["a flipped byte in the second chunk's index", (p) => flip(p.file(index), middle), "BackupDamaged", index],
  ["a flipped byte at the end of an index", (p) => flip(p.file(index), last), "BackupDamaged", index],
  ["a flipped byte in the schema", (p) => flip(p.file(schema), middle), "BackupDamaged", schema],
  [
    "a flipped byte in the manifest",
    (p) => flip(p.file(manifest), () => readFileSync(p.file(manifest), "utf8").indexOf('"documents": ') + 14),
    "BackupDamaged",
    manifest
  ],
  ["a flipped byte in the manifest's braces", (p) => flip(p.file(manifest), () => 0), "BackupDamaged", "no JSON"],
  [
    "a truncated chunk",
    (p) => truncateSync(p.file(chunk), statSync(p.file(chunk)).size - 10),
    "BackupDamaged",
    "bytes"
  ],
  ["an empty chunk", (p) => truncateSync(p.file(chunk), 0), "BackupDamaged", "it has 0 bytes"],
  [
    "a chunk with more behind it",
    (p) => writeFileSync(p.file(chunk), Buffer.concat([readFileSync(p.file(chunk)), Buffer.alloc(9)])),
    "BackupDamaged",
    "more than"
  ],
  ["a truncated index", (p) => truncateSync(p.file(index), 20), "BackupDamaged", index],
  ["a truncated manifest", (p) => truncateSync(p.file(manifest), 100), "BackupDamaged", manifest],
  ["a missing manifest", (p) => rmSync(p.file(manifest)), "BackupUnknown", manifest],
  ["a missing chunk", (p) => rmSync(p.file(chunk)), "BackupObjectMissing", chunk],
  ["a missing index", (p) => rmSync(p.file(index)), "BackupObjectMissing", index],
  ["a missing schema", (p) => rmSync(p.file(schema)), "BackupObjectMissing", schema],
  [
    "a forged count, unsealed",
    (p) => writeFileSync(p.file(manifest), JSON.stringify({ ...p.manifest(), documents: 7 })),
    "BackupDamaged",
    "seal"
  ],
  ["a forged count, sealed", (p) => p.seal((m) => (m.documents = 7)), "BackupDamaged", "7 documents"],
  [
    "forged counts of manifest and chunk",
    (p) =>
      p.seal((m) => {
        m.documents++
        m.chunks[0].documents++
      }),
    "BackupDamaged",
    "documents"
  ],
  ["a negative count", (p) => p.seal((m) => (m.documents = -1)), "BackupDamaged", "documents"],
  ["a forged exact hash", (p) => p.seal((m) => (m.hashes.exact = "0".repeat(64))), "BackupDamaged", "hashes"],
  ["a forged content hash", (p) => p.seal((m) => (m.hashes.content = "0".repeat(64))), "BackupDamaged", "hashes"],
  [
    "a document changed, all lengths and digests forged",
    (p) => forge(p, chunk, (lines) => [lines[0]!.replace("name 0", "name X"), ...lines.slice(1)]),
    "BackupDamaged",
    "not the one that the index names"
  ],
  [
    "a document left out, all lengths and digests forged",
    (p) => forge(p, chunk, (lines) => lines.slice(1)),
    "BackupDamaged",
    "documents"
  ],
  [
    "documents in another order",
    (p) => forge(p, chunk, (lines) => lines.toReversed()),
    "BackupDamaged",
    "not the one that the index names"
  ],
  [
    "an index that names a document twice",
    (p) => forgeIndex(p, index, (lines) => [lines[0]!, ...lines.slice(0, -1)]),
    "BackupDamaged",
    "can't stand there"
  ],
  [
    "an index with a line that is none",
    (p) => forgeIndex(p, index, (lines) => ["hello", ...lines.slice(1)]),
    "BackupDamaged",
    "hello"
  ],
  [
    "an index with an id that leads elsewhere",
    (p) => forgeIndex(p, index, (lines) => [lines[0]!.replace(/\S+$/, "../x"), ...lines.slice(1)]),
    "BackupDamaged",
    "../x"
  ],
  ["a decompression bomb", (p) => forge(p, chunk, () => ["x".repeat(300_000_000)]), "BackupDamaged", ""],
  [
    "a decompression bomb with a small length in the manifest",
    (p) => {
      forge(p, chunk, () => ["0".repeat(50_000_000)])
      p.seal(({ chunks }) => (chunks[0].rawBytes = 1000))
    },
    "BackupDamaged",
    "more than the 1000 bytes"
  ],
  [
    "a chunk that is said to be endless",
    (p) => p.seal((m) => (m.chunks[0].rawBytes = 2 ** 40)),
    "BackupDamaged",
    "would decompress"
  ],
  [
    "a chunk that is no gzip",
    (p) => {
      writeFileSync(p.file(chunk), "hello")
      p.seal(({ chunks }) => Object.assign(chunks[0], { bytes: 5, sha256: sha256("hello") }))
    },
    "BackupDamaged",
    chunk
  ],
  [
    "a name with ../",
    (p) => p.seal((m) => (m.chunks[0].name = "../../../etc/passwd")),
    "BackupDamaged",
    "../../../etc/passwd"
  ],
  ["an absolute name", (p) => p.seal((m) => (m.chunks[0].index.name = "/etc/passwd")), "BackupDamaged", "/etc/passwd"],
  [
    "a name of another form",
    (p) => p.seal((m) => (m.schema.name = "manifest.json")),
    "BackupDamaged",
    "no name of a file"
  ],
  ["a file named twice", (p) => p.seal((m) => (m.chunks[0].name = index)), "BackupDamaged", "twice"],
  [
    "a symbolic link in place of a chunk",
    (p) => {
      renameSync(p.file(chunk), p.file("../elsewhere"))
      symlinkSync("../elsewhere", p.file(chunk))
    },
    "BackupNameRefused",
    "symbolic link"
  ],
  [
    "a symbolic link in place of the manifest",
    (p) => {
      renameSync(p.file(manifest), p.file("../elsewhere"))
      symlinkSync("../elsewhere", p.file(manifest))
    },
    "BackupNameRefused",
    "symbolic link"
  ],
  [
    "a folder in place of a chunk",
    (p) => {
      rmSync(p.file(chunk))
      mkdirSync(p.file(chunk))
    },
    "BackupStorageUnavailable",
    chunk
  ],
  ["a newer format", (p) => p.seal((m) => (m.format = 2)), "BackupTooNew", "format 2"],
  ["a format that is none", (p) => p.seal((m) => (m.format = "one")), "BackupDamaged", "format"],
  ["a member that nobody knows", (p) => p.seal((m) => (m.more = true)), "BackupDamaged", "more"],
  [
    "a part of another backup",
    (p) => p.seal((m) => (m.backup = "20200102T030405678Z-abcdef")),
    "BackupDamaged",
    "20200102T030405678Z-abcdef"
  ],
  ["a part of another collection", (p) => p.seal((m) => (m.collection = "others")), "BackupDamaged", "others"],
  ["a collection whose id leads elsewhere", (p) => p.seal((m) => (m.collection = "../x")), "BackupDamaged", "../x"],
  [
    "a schema of something else",
    (p) => {
      writeFileSync(p.file(schema), "{}")
      p.seal((m) => (m.schema = { name: schema, bytes: 2, sha256: sha256("{}") }))
    },
    "BackupDamaged",
    schema
  ],
  ["an absent collection with documents", (p) => p.seal((m) => (m.absent = true)), "BackupDamaged", "no collection"]
]

describe("a damaged backup", () => {
  for (const [title, damage, tag, word] of cases) {
    it.live(`${title} is refused, and nothing is written`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.gen(function* () {
          const db = yield* setUp
          const [made] = yield* Backup.create(["people"])
          yield* db.updateDocument("people", "p3", { name: "changed" })
          const before = yield* exactHash
          damage(partOf(made!.backupFile))
          const files = readdirSync(backups(folder))
          // A restore does not ask the hash without dates.
          const restores = title === "a forged content hash" ? [] : [Backup.restore(made!.backupFile)]
          for (const attempt of [Backup.verify(made!.backupFile), ...restores]) {
            const error = yield* Effect.flip(Effect.asVoid<unknown, any, any>(attempt))
            assert.strictEqual(error._tag, tag, String(error))
            assert.include(error.message, word)
          }
          assert.strictEqual(yield* exactHash, before)
          assert.deepStrictEqual(readdirSync(backups(folder)), files)
          assert.deepStrictEqual(yield* (yield* MigrationJournal).open, [])
        }).pipe(Effect.provide(onFile(folder)))
      })
    )
  }
})
