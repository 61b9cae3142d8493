/** Encrypted backups: read with their secret alone, and refused when anything of them was changed. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import * as Backup from "../../src/Backup.ts"
import * as Secret from "../../src/layers/backups/Secret.ts"
import { chunk, flip, index, manifest, middle, type Part, partOf, schema, setUp, sha256 } from "../support/Damaging.ts"
import { exactHash, onFile, temporaryFolder } from "../support/Migrating.ts"

/** What files that are not encrypted show: an attribute's name, an id, the head of gzip. */
const readable: ReadonlyArray<readonly [string, Buffer]> = [
  ["an attribute", Buffer.from("name")],
  ["an id", Buffer.from(`"p3"`)],
  ["gzip", Buffer.from([0x1f, 0x8b, 0x08, 0x00])]
]

const secret = (text: string) => Effect.provide(Secret.layer(Redacted.make(text)))

describe("an encrypted backup", () => {
  it.live("is restored with its secret alone; nothing but the manifest can be read", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        const db = yield* setUp
        const before = yield* exactHash
        const [made] = yield* secret("first")(Backup.create(["people"]))
        const home = dirname(made!.backupFile)
        const files = readdirSync(home)
        assert.deepStrictEqual(files, [`${index}.enc`, `${chunk}.enc`, manifest, `${schema}.enc`])
        for (const file of files.filter((name) => name.endsWith(".enc"))) {
          const bytes = readFileSync(join(home, file))
          // Four bytes each: two of them stand in a few hundred random ones now and then.
          for (const [name, text] of readable) assert.isFalse(bytes.includes(text), `${file} shows ${name}`)
        }
        yield* db.updateDocument("people", "p3", { name: "changed" })
        const changed = yield* exactHash
        for (const attempt of [
          Backup.restore(made!.backupFile),
          secret("second")(Backup.restore(made!.backupFile)),
          secret("")(Backup.restore(made!.backupFile))
        ]) {
          const error = yield* Effect.flip(attempt)
          assert.strictEqual(error._tag, "BackupSecretWrong")
          assert.include(error.message, "HOLDFAST_BACKUP_SECRET")
        }
        assert.strictEqual(yield* exactHash, changed)
        yield* secret("first")(Backup.restore(made!.backupFile))
        assert.strictEqual(yield* exactHash, before)
      }).pipe(Effect.provide(onFile(folder)))
    })
  )

  for (const [title, damage] of [
    [
      "a byte of its ciphertext, its digest forged",
      (p) => {
        flip(p.file(`${chunk}.enc`), middle)
        p.seal((m) => (m.chunks[0].sha256 = sha256(readFileSync(p.file(`${chunk}.enc`)))))
      }
    ],
    ["its manifest, sealed without the secret", (p) => p.seal((m) => (m.documents = 49))],
    ["its salt", (p) => p.seal((m) => (m.encryption.salt = "0".repeat(64)))],
    ["that it is encrypted", (p) => p.seal((m) => (m.encryption = null))],
    [
      "an index that takes the place of a chunk",
      (p) => {
        const value = p.manifest()
        const [own] = value.chunks
        writeFileSync(p.file(`${chunk}.enc`), readFileSync(p.file(own.index.name)))
        p.seal((m) => Object.assign(m.chunks[0], { bytes: own.index.bytes, sha256: own.index.sha256 }))
      }
    ]
  ] as ReadonlyArray<readonly [string, (part: Part) => void]>) {
    it.live(`is refused when somebody changes ${title}`, () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        yield* Effect.gen(function* () {
          const db = yield* setUp
          const [made] = yield* Backup.create(["people"])
          yield* db.updateDocument("people", "p3", { name: "changed" })
          const before = yield* exactHash
          damage(partOf(made!.backupFile))
          const error: any = yield* Effect.flip(Backup.restore(made!.backupFile))
          assert.include(["BackupDamaged", "BackupSecretWrong"], error._tag, String(error))
          assert.strictEqual(yield* exactHash, before)
        }).pipe(Effect.provide(onFile(folder)), secret("first"))
      })
    )
  }

  it.live("a file can't stand in for that of another part", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      yield* Effect.gen(function* () {
        yield* setUp
        const [one] = yield* Backup.create(["people"])
        const [other] = yield* Backup.create(["people"])
        for (const name of [`${chunk}.enc`, `${index}.enc`, `${schema}.enc`]) {
          writeFileSync(join(dirname(one!.backupFile), name), readFileSync(join(dirname(other!.backupFile), name)))
        }
        assert.strictEqual((yield* Effect.flip(Backup.verify(one!.backupFile)))._tag, "BackupDamaged")
        // With its manifest too: it says where it belongs.
        writeFileSync(one!.backupFile, readFileSync(other!.backupFile))
        const error = yield* Effect.flip(Backup.verify(one!.backupFile))
        assert.include(error.message, basename(dirname(dirname(other!.backupFile))))
        assert.isTrue(existsSync(one!.backupFile))
      }).pipe(Effect.provide(onFile(folder)), secret("first"))
    })
  )
})
