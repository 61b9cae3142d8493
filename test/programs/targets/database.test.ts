/** Files that a command only looks at, and files that are not ours: what is in them stays, byte for byte. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync, globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { DatabaseSync } from "node:sqlite"
import { Databases } from "../../../src/Databases.ts"
import * as Embedded from "../../../src/layers/databases/Embedded.ts"
import { refused } from "../../contract/databases/support.ts"
import * as Program from "../../support/Program.ts"

const { creates, folder, jsonFor, runFor, write } = Program

const first = "migrations/0001_first.ts"
const second = "migrations/0002_second.ts"

const bytesOf = (home: string, file = Program.database) => readFileSync(join(home, file), "base64")

/** A database with one migration applied, and one to come. */
const prepared = Effect.gen(function* () {
  const home = yield* folder({ [first]: creates("first") })
  yield* runFor(0, home, ["up"])
  write(home, { [second]: creates("second") })
  return home
})

/** Does something to a file as another program would. */
const byHand = (home: string, file: string, sql: string) => {
  const database = new DatabaseSync(join(home, file))
  database.exec(sql)
  database.close()
}

describe("a command that only looks", () => {
  it.live("with the id of a database that is not there makes none, and changes no byte", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      const [hash, bytes] = [yield* Program.hashOf(home), bytesOf(home)]
      for (const command of [["status"], ["status", "--check"], ["verify"]]) {
        const { error } = Program.jsonOf(yield* Program.run(home, [...command, "--database-id", "other", "--json"]))
        if (error !== undefined) assert.include(error.message, "other", command.join(" "))
        assert.strictEqual(bytesOf(home), bytes, command.join(" "))
      }
      const ids = yield* Program.inside(home, (db) => Effect.map(db.listDatabases, (all) => all.map(({ $id }) => $id)))
      assert.deepStrictEqual(ids, ["main"])
      assert.strictEqual(yield* Program.hashOf(home), hash)
    })
  )

  it.live("changes no byte of the database that is there, and makes no file", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      // SQLite's own come and go.
      const files = () => globSync("{*,.*}/**", { cwd: home }).filter((file) => !/-(wal|shm)$/.test(file))
      const [bytes, before] = [bytesOf(home), files().toSorted()]
      for (const command of [["status"], ["verify"]]) {
        yield* runFor(0, home, command)
        assert.strictEqual(bytesOf(home), bytes)
        assert.deepStrictEqual(files().toSorted(), before)
      }
    })
  )

  it.live("writes nothing even where it wanted to", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      const bytes = bytesOf(home)
      yield* Effect.gen(function* () {
        const db = yield* Databases
        yield* refused(db.createCollection("new"), "Unavailable", "general_unknown")
        yield* refused(db.createDatabase("new"), "Unavailable", "general_unknown")
        assert.lengthOf(yield* db.listCollections, 1)
      }).pipe(Effect.provide(Embedded.layer({ filename: join(home, Program.database), readOnly: true })))
      assert.strictEqual(bytesOf(home), bytes)
    })
  )
})

describe("a file that is not ours", () => {
  const other = "other.db"
  const commands = [["status"], ["up"], ["verify"], ["baseline"]]

  for (const [what, sql, says] of [
    ["with one table", "create table notes (text); insert into notes values ('mine')", "something else"],
    [
      "written ahead, with a table and an index",
      "pragma journal_mode = WAL; create table notes (text); create index i on notes (text)",
      "something else"
    ]
  ] as const) {
    it.live(`a database ${what} is refused with exit code 8, and left as it was`, () =>
      Effect.gen(function* () {
        const home = yield* folder({ [first]: creates("first") })
        byHand(home, other, sql)
        const bytes = bytesOf(home, other)
        for (const command of commands) {
          const { error } = yield* jsonFor(8, home, [...command, "--database", `sqlite:${other}`])
          assert.strictEqual(error._tag, "DatabasesError")
          assert.include(error.message, says)
          assert.include(error.message, "Choose another path")
          assert.strictEqual(bytesOf(home, other), bytes, command.join(" "))
        }
        assert.isFalse(existsSync(join(home, Program.state)))
      })
    )
  }

  it.live("a database of a later layout is refused with exit code 8, and left as it was", () =>
    Effect.gen(function* () {
      const home = yield* prepared
      byHand(home, Program.database, "update holdfast_file set value = '99' where name = 'layout'")
      const [bytes, state] = [bytesOf(home), readFileSync(join(home, Program.state), "utf8")]
      for (const command of commands) {
        const { error } = yield* jsonFor(8, home, command)
        assert.include(error.message, "layout is 99")
        assert.include(error.message, "newer")
        assert.strictEqual(bytesOf(home), bytes, command.join(" "))
      }
      assert.strictEqual(readFileSync(join(home, Program.state), "utf8"), state)
    })
  )

  it.live("an empty file is nobody's: `up` uses it", () =>
    Effect.gen(function* () {
      const home = yield* folder({ [first]: creates("first"), [other]: "" })
      yield* runFor(0, home, ["up", "--database", `sqlite:${other}`])
      assert.deepStrictEqual(yield* Program.collectionsOf(home, other), ["first"])
    })
  )
})
