/** A real redis-server on a free port of the loopback, with a folder of its own. Nothing here knows vitest. */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"

const program = "redis-server"

/** Whether there is one on this machine. */
export const isInstalled: boolean = spawnSync(program, ["--version"]).status === 0

/** What makes it be there. */
export const install = "apt-get install -y redis-server"

/** Options as in redis.conf, for instance `{ appendonly: "yes", maxmemory: "2mb" }`. */
export type Config = Readonly<Record<string, string>>

export interface RedisServer {
  readonly url: string
  readonly port: number
  /** Its working directory: what it writes survives a `restart`, and goes with the scope. */
  readonly folder: string
  readonly pid: () => number
  /** Ends it by its pid, and waits until it is gone. */
  readonly stop: (signal?: NodeJS.Signals) => Effect.Effect<void>
  /** Starts it again on its port and folder, after `stop`. `config` goes over the first one. */
  readonly restart: (config?: Config) => Effect.Effect<void>
}

const freePort = async (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer().on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0))
    })
  })

/** Undefined where somebody else has taken the port meanwhile. */
const launch = async (port: number, folder: string, config: Config): Promise<ChildProcess | undefined> => {
  const all: Config = { port: String(port), bind: "127.0.0.1", dir: folder, save: "", appendonly: "no", ...config }
  const child = spawn(
    program,
    Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]),
    { stdio: ["ignore", "pipe", "pipe"] }
  )
  let said = ""
  return new Promise((resolve, reject) => {
    const hear = (text: string) => {
      said += text
      // The second is said by a replica, and by one that still reads its data.
      if (said.includes("Ready to accept connections")) resolve(child)
    }
    child.stdout.setEncoding("utf8").on("data", hear)
    child.stderr.setEncoding("utf8").on("data", hear)
    child.on("error", reject)
    child.on("exit", () => {
      if (/Address already in use/.test(said)) resolve(undefined)
      else reject(new Error(`redis-server ended: ${said.slice(-2000)}`))
    })
  })
}

const gone = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once("exit", () => resolve())
  })

/** Starts one; it is stopped with the scope. */
export const start = (config: Config = {}): Effect.Effect<RedisServer, never, Scope.Scope> =>
  Effect.map(
    Effect.acquireRelease(
      Effect.promise(async () => {
        const folder = mkdtempSync(join(tmpdir(), "holdfast-redis-"))
        for (let tries = 0; tries < 5; tries++) {
          const port = await freePort()
          const child = await launch(port, folder, config)
          if (child !== undefined) return { folder, port, child }
        }
        throw new Error("no port stays free long enough for redis-server")
      }),
      (running) =>
        Effect.promise(async () => {
          running.child.kill("SIGKILL")
          await gone(running.child)
          rmSync(running.folder, { recursive: true, force: true })
        })
    ),
    (running): RedisServer => ({
      url: `redis://127.0.0.1:${running.port}`,
      port: running.port,
      folder: running.folder,
      pid: () => running.child.pid!,
      stop: (signal = "SIGTERM") =>
        Effect.promise(async () => {
          running.child.kill(signal)
          await gone(running.child)
        }),
      restart: (changes = {}) =>
        Effect.promise(async () => {
          const child = await launch(running.port, running.folder, { ...config, ...changes })
          if (child === undefined) throw new Error(`somebody else has taken the port ${running.port}`)
          running.child = child
        })
    })
  )
