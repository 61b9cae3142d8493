/** What a Redis server says of itself, and what is wrong with that for a store that must not forget. */
import * as Effect from "effect/Effect"
import type * as Redis from "effect/persistence/Redis"
import { StoreUnavailable } from "../../../IdempotencyError.ts"

/** A URL without what is secret in it. */
export const nameOf = (url: string): string => {
  try {
    const { host, pathname, protocol } = new URL(url)
    return `${protocol}//${host}${pathname}`
  } catch {
    return "redis"
  }
}

const remedies: ReadonlyArray<readonly [RegExp, string]> = [
  [/^OOM/, "its memory is full. Raise maxmemory: nothing may be evicted from it"],
  [/^READONLY/, "it is a replica. Connect to the primary"],
  [/^(?:NOAUTH|WRONGPASS)/, "it refuses the password. Check the URL"],
  [/^NOPERM/, "its user may not do this. Allow SET, GET, DEL, RPUSH, PEXPIRE, LRANGE, TIME, INFO, EVAL, EVALSHA, WAIT"],
  [/^LOADING/, "it is still reading its data. Wait for it"],
  [/^(?:MISCONF|MASTERDOWN|CLUSTERDOWN)/, "it can't be written at the moment"]
]

/** The server's words, and what to do. */
export const explain = (error: Redis.RedisError): string => {
  const message = error.cause instanceof Error ? error.cause.message || error.cause.name : String(error.cause)
  const remedy = remedies.find(([pattern]) => pattern.test(message))?.[1]
  return remedy === undefined ? message : `${message} (${remedy})`
}

const infoOf = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const at = line.indexOf(":")
      return at < 1 || line.startsWith("#") ? [] : [[line.slice(0, at), line.slice(at + 1)]]
    })
  )

const refusal = (info: ReadonlyMap<string, string>, unsafeEviction: boolean): string | undefined => {
  const version = info.get("valkey_version") ?? info.get("redis_version") ?? "0"
  if (!info.has("valkey_version") && Number.parseInt(version, 10) < 7)
    return `it is Redis ${version}, which can't claim and read in one command. Use Redis 7.0 or newer, or Valkey`
  const role = info.get("role")
  if (role !== "master")
    return `it is a ${role === "slave" ? "replica" : role}, which takes no writes. Connect to the primary`
  const policy = info.get("maxmemory_policy")
  if (policy !== "noeviction" && !unsafeEviction)
    return `its maxmemory-policy is ${policy}, which drops keys when memory is short, and with them the memory of what has happened. Set it to noeviction, or accept that by unsafeEviction`
  return undefined
}

/** Fails where the server is too old, a replica, or evicts keys. */
export const inspect = (
  redis: Redis.Redis["Service"],
  unsafeEviction: boolean
): Effect.Effect<void, StoreUnavailable> =>
  // Three sections in three calls: several in one are Redis 7's, and an older one should hear that it is old.
  Effect.forEach(["server", "replication", "memory"], (section) => redis.send<string>("INFO", section)).pipe(
    Effect.mapError((error) => new StoreUnavailable({ operation: "start", detail: explain(error), cause: error })),
    Effect.flatMap((sections) => {
      const detail = refusal(infoOf(sections.join("\n")), unsafeEviction)
      return detail === undefined ? Effect.void : Effect.fail(new StoreUnavailable({ operation: "start", detail }))
    })
  )
