/** `backup`, `backups` and `restore`, as they are typed: what they print, what they do, what they end with. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import * as Program from "../support/Program.ts"

const { folder, hashOf, inside, jsonFor, migration, runFor } = Program

/** A database with two collections, and one that is Holdfast's own. */
const prepared = Effect.gen(function* () {
  const home = yield* folder({
    "migrations/0001_people.ts": migration({
      up: `yield* databases.createCollection("people", { attributes: [Attribute.string("name", { size: 20 })] })
    yield* databases.createDocuments("people", [{ $id: "ada", name: "Ada" }, { $id: "bob", name: "Bob" }])
    yield* databases.createCollection("places", { attributes: [Attribute.integer("n")] })
    yield* databases.createCollection("holdfast-things")`
    })
  })
  yield* runFor(0, home, ["up"])
  return home
})
const rename = (home: string, name: string) => inside(home, (db) => db.updateDocument("people", "ada", { name }))
const idOf = (file: string) => file.split("/").at(-3)!

describe("backup", () => {
  it.live("saves what is named, or all but Holdfast's own; a typing error is told with what was meant", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      const { stdout } = yield* runFor(0, home, ["backup", "people"])
      assert.match(
        stdout,
        /^backed up people, 2 documents \(converged\), to backups\/\d{8}T\d{9}Z-\w{6}\/people\/manifest\.json$/m
      )
      const all = yield* jsonFor(0, home, ["backup", "--all", "--consistency", "quiesced"])
      assert.deepStrictEqual(
        all["backups"].map(({ collection, consistency }: any) => [collection, consistency]),
        [
          ["people", "quiesced"],
          ["places", "quiesced"]
        ]
      )
      const wrong = yield* runFor(2, home, ["backup", "poeple"])
      assert.include(
        wrong.stderr,
        'there is no collection "poeple" in sqlite:.data/holdfast.db (main). Did you mean people?'
      )
      for (const [parameters, word] of [
        [["backup"], "--all"],
        [["backup", "people", "--all"], "not both"],
        [["backup", "people", "--consistency", "exact"], "converged"]
      ] as const) {
        assert.include((yield* runFor(2, home, parameters)).stderr, word)
      }
      assert.lengthOf((yield* jsonFor(0, home, ["backups"]))["backups"], 3)
    })
  )

  it.live("with HOLDFAST_BACKUP_SECRET nothing can be read, or restored, without it", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      const env = { HOLDFAST_BACKUP_SECRET: "correct horse" }
      const made = yield* jsonFor(0, home, ["backup", "people"], { env })
      const file = made["backups"][0].backupFile
      assert.isTrue(existsSync(join(home, file.replace("manifest.json", "documents-000001.ndjson.gz.enc"))))
      yield* rename(home, "changed")
      for (const wrong of [{}, { HOLDFAST_BACKUP_SECRET: "wrong" }]) {
        const { stderr } = yield* runFor(2, home, ["restore", file], { env: wrong })
        assert.include(stderr, "HOLDFAST_BACKUP_SECRET")
        assert.notInclude(stderr, "correct horse")
      }
      const restored = yield* jsonFor(0, home, ["restore", file], { env })
      assert.deepInclude(restored["restored"][0], { changed: 1, same: 1 })
    })
  )
})

describe("backups", () => {
  it.live("lists, verifies and prunes; a damaged one is shown as such", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      assert.match((yield* runFor(0, home, ["backups"])).stdout, /no backups yet/)
      const files: Array<string> = []
      for (let count = 0; count < 3; count++) {
        files.push((yield* jsonFor(0, home, ["backup", "people"]))["backups"][0].backupFile)
      }
      const listed = yield* runFor(0, home, ["backups", "list"])
      for (const file of files) assert.match(listed.stdout, new RegExp(`^${idOf(file)} +main +people +2 `, "m"))
      const verified = yield* runFor(0, home, ["backups", "verify", idOf(files[0]!)])
      assert.match(verified.stdout, /^verified people: 2 documents, exact hash [0-9a-f]{64}, backups\//m)
      const manifest = join(home, files[0]!)
      writeFileSync(manifest, readFileSync(manifest, "utf8").replace('"documents": 2', '"documents": 3'))
      assert.include((yield* runFor(2, home, ["backups", "verify", idOf(files[0]!)])).stderr, files[0]!)
      assert.include((yield* runFor(0, home, ["backups"])).stdout, "damaged")
      assert.include((yield* runFor(2, home, ["backups", "prune"])).stderr, "--keep-last")
      assert.include((yield* runFor(2, home, ["backups", "prune", "--keep-last", "-1"])).stderr, "--keep-last")
      const pruned = yield* jsonFor(0, home, ["backups", "prune", "--keep-last", "1"])
      assert.deepStrictEqual(pruned["removed"], [files[1]])
      assert.deepStrictEqual(pruned["kept"], [
        { backupFile: files[2], reason: "the newest, one of the last 1" },
        { backupFile: files[0], reason: "it can't be read: look at it, remove it by hand" }
      ])
      assert.isFalse(existsSync(join(home, "backups", idOf(files[1]!))))
    })
  )
})

describe("restore", () => {
  it.live("by id, by path, from another place; a dry run writes nothing", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      const before = yield* hashOf(home)
      const file = (yield* jsonFor(0, home, ["backup", "people"]))["backups"][0].backupFile
      yield* rename(home, "changed")
      const changed = yield* hashOf(home)
      const dry = yield* runFor(0, home, ["restore", idOf(file), "--dry-run"])
      assert.match(dry.stdout, /^would restore people: 1 changed, 0 missing, 0 extra; 1 are as they were$/m)
      assert.strictEqual(yield* hashOf(home), changed)
      assert.lengthOf(
        readdirSync(join(home, "backups")).filter((name) => name.startsWith("2")),
        1
      )
      const done = yield* runFor(0, home, ["restore", `./${file}`])
      assert.match(done.stdout, /exact hash [0-9a-f]{64}, as in the backup/)
      assert.strictEqual(yield* hashOf(home), before)
      const [, safety] = /holdfast restore (\S+)/.exec(done.stdout)!
      yield* runFor(0, home, ["restore", safety!])
      assert.strictEqual(yield* hashOf(home), changed)
      renameSync(join(home, "backups", idOf(file)), join(home, idOf(file)))
      yield* runFor(0, home, ["restore", join(idOf(file), "people")])
      assert.strictEqual(yield* hashOf(home), before)
      yield* runFor(0, home, [
        "restore",
        join(home, idOf(file), "people", "manifest.json"),
        "--to",
        "folk",
        "--only",
        "ada"
      ])
      assert.strictEqual(yield* inside(home, (db) => Effect.map(db.listDocuments("folk"), ({ total }) => total)), 1)
    })
  )

  it.live("what is no backup, or has not what was asked for, ends with 2 and is named", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      const both = yield* jsonFor(0, home, ["backup", "--all"])
      const id = idOf(both["backups"][0].backupFile)
      for (const [parameters, word] of [
        [["nothing"], "nothing"],
        [["backups/nothing/people/manifest.json"], "nothing"],
        [[`${id}/nobody`], "nobody"],
        [[id, "--to", "x"], "BACKUP/COLLECTION"],
        [[`${id}/people`, "--only", "zoe"], "zoe"],
        [[`${id}/people`, "--to", "../x"], "../x"]
      ] as const) {
        const before = yield* hashOf(home)
        const { stderr } = yield* runFor(2, home, ["restore", ...parameters])
        assert.include(stderr, word)
        assert.strictEqual(yield* hashOf(home), before)
      }
      rmSync(join(home, "backups", id, "people", "manifest.json"))
      assert.include((yield* runFor(2, home, ["restore", `${id}/people`])).stderr, "manifest.json")
    })
  )
})

describe("up", () => {
  it.live("backs up what a migration names, and says aloud what --skip-backup gives up", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      Program.write(home, {
        "migrations/0002_more.ts": migration({
          up: `yield* databases.createAttribute("people", Attribute.integer("age"))`,
          members: [`backup: ["people", "pets"]`]
        })
      })
      const { stdout } = yield* runFor(0, home, ["up"])
      assert.match(stdout, /backed up people, 2 documents \(converged\), to backups\/\S+\/people\/manifest\.json/)
      assert.match(stdout, /pets is not there; so says backups\/\S+\/pets\/manifest\.json/)
      Program.write(home, {
        "migrations/0003_less.ts": migration({
          up: `yield* databases.deleteAttribute("people", "name")`,
          members: [`backup: ["people"]`]
        })
      })
      const skipped = yield* jsonFor(0, home, ["up", "--skip-backup"])
      // What it deletes is kept all the same.
      const [kept, ...others] = skipped["results"][0].backups
      assert.isEmpty(others)
      assert.deepInclude(kept, { collection: "people", documentCount: 2 })
      yield* runFor(0, home, ["restore", kept.backupFile])
      assert.strictEqual((yield* inside(home, (db) => db.getDocument("people", "ada")))["name"], "Ada")
      Program.write(home, {
        "migrations/0004_wrong.ts": migration({ up: "yield* Effect.void", members: [`backup: "people"`] })
      })
      const wrong = yield* runFor(2, home, ["up"])
      assert.include(wrong.stderr, 'Write: backup: ["recognitions"]')
    })
  )

  it.live("a rollback that is not complete names the backups, with the command", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      Program.write(home, {
        "migrations/0002_step.ts": migration({
          up: `yield* Migration.step({ name: "mail", do: Effect.void, undo: Effect.fail(new Error("no")) })
    return yield* Effect.fail(new Error("on purpose"))`,
          members: [`backup: ["people"]`]
        })
      })
      const { stdout } = yield* runFor(7, home, ["up"])
      assert.match(
        stdout,
        /Bring back people as it was before with `holdfast restore backups\/\S+\/people\/manifest\.json`/
      )
    })
  )
})
