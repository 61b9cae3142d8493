/** The lock in memory and beside an SQLite file, and what the latter promises between processes. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs"
import { hostname } from "node:os"
import { join } from "node:path"
import * as MemoryLock from "../../../src/layers/migrations/MemoryLock.ts"
import * as SqliteLock from "../../../src/layers/migrations/SqliteLock.ts"
import { MigrationLock } from "../../../src/MigrationLock.ts"
import { contract } from "../../contract/MigrationLock.ts"
import * as Child from "../../support/Child.ts"
import { temporaryFolder } from "../../support/Migrating.ts"

const beside = (filename: string) => SqliteLock.layer(filename).pipe(Layer.provide(NodeServices.layer))
const fresh = Layer.unwrap(Effect.map(temporaryFolder, (folder) => beside(join(folder, "made", "app.db"))))

contract("memory", MemoryLock.layer)
contract("an SQLite file", fresh)

const inside = <A, E, R>(filename: string, body: (lock: MigrationLock["Service"]) => Effect.Effect<A, E, R>) =>
  Effect.provide(Effect.flatMap(MigrationLock, body), beside(filename))

describe("SqliteLock", () => {
  it.live("a second process is refused, and learns process and host; a third sees them too", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "app.db")
      const other = yield* Child.start("locking.ts", filename, "hold")
      const holder: unknown = JSON.parse((yield* other.line("held ")).slice("held ".length))
      yield* inside(filename, (lock) =>
        Effect.gen(function* () {
          const refused = yield* Effect.flip(lock.acquire)
          assert.strictEqual(refused._tag, "LockHeld")
          if (refused._tag !== "LockHeld") return
          assert.deepStrictEqual<unknown>(refused.holder, holder)
          assert.deepInclude(refused.holder, { pid: other.pid, host: hostname() })
          assert.include(refused.message, `process ${other.pid} on ${hostname()}`)
          assert.deepStrictEqual<unknown>(yield* lock.holder, holder)
        })
      )
      const third = yield* Child.start("locking.ts", filename, "race")
      assert.strictEqual(yield* third.line("lost"), "lost LockHeld")
    })
  )

  it.live("is free when its owner was killed by SIGKILL, and nobody is said to hold it", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "app.db")
      const other = yield* Child.start("locking.ts", filename, "hold")
      yield* other.line("held ")
      yield* other.kill("SIGKILL")
      assert.deepStrictEqual(yield* other.ended, { code: null, signal: "SIGKILL" })
      yield* inside(filename, (lock) =>
        Effect.gen(function* () {
          assert.isUndefined(yield* lock.holder)
          const mine = yield* lock.acquire
          assert.strictEqual(mine.pid, process.pid)
          assert.deepStrictEqual(yield* lock.holder, mine)
        })
      )
    })
  )

  it.live("of several processes at once exactly one gets it", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "app.db")
      const racers = yield* Effect.forEach([1, 2, 3, 4], () => Child.start("locking.ts", filename, "race"), {
        concurrency: "unbounded"
      })
      const lines = yield* Effect.forEach(racers, (racer) => Effect.raceFirst(racer.line("won"), racer.line("lost")), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(lines.toSorted(), ["lost LockHeld", "lost LockHeld", "lost LockHeld", "won"])
    })
  )

  it.live("looking who holds it never makes an acquire fail", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "app.db")
      const looker = yield* Child.start("locking.ts", filename, "look")
      yield* inside(filename, (lock) =>
        Effect.gen(function* () {
          // There is nothing to look at before somebody has held it.
          yield* Effect.scoped(lock.acquire)
          yield* looker.line("looking")
          for (let count = 0; count < 100; count++) yield* Effect.scoped(lock.acquire)
        })
      )
    })
  )

  it.live("the name that a dead owner of another lock left is not shown as the holder", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "app.db")
      const dead = yield* Child.start("locking.ts", filename, "hold")
      yield* dead.line("held ")
      yield* dead.kill("SIGKILL")
      yield* dead.ended
      // Somebody holds the lock and has not come to writing its name: whoever is refused must not name the dead one.
      yield* inside(filename, (lock) =>
        Effect.gen(function* () {
          const mine = yield* lock.acquire
          const left = { host: hostname(), pid: dead.pid, since: mine.since }
          writeFileSync(`${filename}-migration-lock.json`, JSON.stringify(left))
          const refused = yield* Effect.flip(lock.acquire)
          assert.strictEqual(refused._tag, "LockHeld")
          if (refused._tag !== "LockHeld") return
          assert.isNull(refused.holder)
          assert.include(refused.message, "another process")
        })
      )
    })
  )

  it.live("databases beside each other have locks of their own", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const other = yield* Child.start("locking.ts", join(folder, "a.db"), "hold")
      yield* other.line("held ")
      yield* inside(join(folder, "b.db"), ({ acquire }) => acquire)
      assert.strictEqual((yield* Effect.flip(inside(join(folder, "a.db"), ({ acquire }) => acquire)))._tag, "LockHeld")
    })
  )

  it.live("holds through links: to the file, to its folder, and to a link, in both directions", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const real = join(folder, "real", "app.db")
      mkdirSync(join(folder, "real"))
      writeFileSync(real, "")
      symlinkSync(join("real", "app.db"), join(folder, "alias.db"))
      symlinkSync("alias.db", join(folder, "again.db"))
      symlinkSync("real", join(folder, "linked"))
      const links = [join(folder, "alias.db"), join(folder, "again.db"), join(folder, "linked", "app.db")]
      const refusedAt = (filename: string) =>
        inside(filename, (lock) =>
          Effect.gen(function* () {
            const error = yield* Effect.flip(lock.acquire)
            assert.strictEqual(error._tag, "LockHeld", filename)
            assert.strictEqual((yield* lock.holder)?.pid, process.pid, filename)
          })
        )
      const whileHeld = <A, E, R>(filename: string, body: Effect.Effect<A, E, R>) =>
        Effect.scoped(inside(filename, ({ acquire }) => Effect.andThen(acquire, body)))
      yield* whileHeld(real, Effect.forEach(links, refusedAt))
      for (const link of links) yield* whileHeld(link, refusedAt(real))
      // Whoever held it by a link has let it go by that link.
      yield* inside(real, ({ acquire }) => acquire)
    })
  )

  it.live("holds through a link to the folder where the file is not there yet", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      mkdirSync(join(folder, "real"))
      symlinkSync("real", join(folder, "linked"))
      yield* inside(join(folder, "real", "new.db"), ({ acquire }) =>
        Effect.gen(function* () {
          yield* acquire
          const error = yield* Effect.flip(inside(join(folder, "linked", "new.db"), (other) => other.acquire))
          assert.strictEqual(error._tag, "LockHeld")
        })
      )
    })
  )

  it.live(
    "a place that can't be used is unavailable, and named: a folder in the lock's place, a file in the folder's",
    () =>
      Effect.gen(function* () {
        const folder = yield* temporaryFolder
        mkdirSync(join(folder, "a.db-migration-lock"))
        writeFileSync(join(folder, "file"), "")
        for (const filename of [join(folder, "a.db"), join(folder, "file", "b.db")]) {
          const error = yield* Effect.flip(inside(filename, ({ acquire }) => acquire))
          assert.strictEqual(error._tag, "LockUnavailable", filename)
          assert.include(error.message, `${filename}-migration-lock`)
        }
      })
  )

  it.live("a file of another kind in the lock's place is unavailable, and left as it was", () =>
    Effect.gen(function* () {
      const filename = join(yield* temporaryFolder, "a.db")
      writeFileSync(`${filename}-migration-lock`, "These are notes, not a lock. ".repeat(200))
      const error = yield* Effect.flip(inside(filename, ({ acquire }) => acquire))
      assert.strictEqual(error._tag, "LockUnavailable")
    })
  )
})
