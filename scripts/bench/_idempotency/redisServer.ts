/** The redis-server that this run starts, and ends by its pid. */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { createClient } from "redis"
import * as RedisServer from "../../../test/support/RedisServer.ts"

export interface Server {
  readonly url: string
  readonly stop: () => Promise<void>
}

export const start = async (): Promise<Server> => {
  if (!RedisServer.isInstalled) throw new Error(`there is no redis-server on this machine. ${RedisServer.install}`)
  const scope = Scope.makeUnsafe()
  const { pid, url } = await Effect.runPromise(Scope.provide(RedisServer.start(), scope))
  // Also where this run ends by an error.
  const kill = () => {
    try {
      process.kill(pid(), "SIGKILL")
    } catch {
      // It is gone.
    }
  }
  process.once("exit", kill)
  return {
    url,
    stop: async () => {
      await Effect.runPromise(Scope.close(scope, Exit.void))
      process.off("exit", kill)
    }
  }
}

export const connect = async (url: string) => {
  const client = createClient({ url })
  client.on("error", (error) => console.error("redis", error))
  return client.connect()
}
export type Client = Awaited<ReturnType<typeof connect>>

/** Calls of each command since the server began, by its own count. Those of scripts are among them. */
export const commandStats = async (client: Client): Promise<ReadonlyMap<string, number>> => {
  const text = String(await client.sendCommand(["INFO", "commandstats"]))
  return new Map(
    [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = "", calls]) => [name, Number(calls)])
  )
}
