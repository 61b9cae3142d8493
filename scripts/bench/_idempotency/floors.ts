/**
 * The floors: what a person writes by hand who wants next to nothing. They hash as this design does, by its own
 * functions, claim, and complete only what is still their own. They know no lease, no renewal, no steps, no clean-up.
 */
import { randomUUID } from "node:crypto"
import { canonicalJson } from "../../../src/internal/CanonicalJson.ts"
import * as Hashes from "../../../src/internal/idempotency/Hashes.ts"
import { chargeLater, type Contested, operation, payload, userId } from "./charging.ts"

const hashes = (key: string) => {
  const id = Hashes.rowPrefix({ namespace: "default", operation, tenant: "", user: userId, key }, undefined)
  return { id, fingerprint: Hashes.fingerprint(id, ["run", canonicalJson(payload)], undefined) }
}

const ttl = 86_400_000

interface Entry {
  readonly fingerprint: string
  readonly expiresAt: number
  body: string | undefined
}

const judge = (found: Pick<Entry, "fingerprint" | "body">, fingerprint: string): unknown => {
  if (found.fingerprint !== fingerprint) throw new Error("422")
  if (found.body === undefined) throw new Error("409")
  return JSON.parse(found.body)
}

/** Hashes and a map. */
export const inMemory = (): Contested => {
  const entries = new Map<string, Entry>()
  const claim = (id: string, fingerprint: string) => {
    const mine: Entry = { fingerprint, expiresAt: Date.now() + ttl, body: undefined }
    entries.set(id, mine)
    return mine
  }
  return {
    call: async (key) => {
      const { fingerprint, id } = hashes(key)
      const found = entries.get(id)
      if (found !== undefined && found.expiresAt >= Date.now()) return judge(found, fingerprint)
      const mine = claim(id, fingerprint)
      const receipt = await chargeLater(payload)
      if (entries.get(id) === mine) mine.body = JSON.stringify(receipt)
      return receipt
    },
    claim: (key) => {
      const { fingerprint, id } = hashes(key)
      claim(id, fingerprint)
    }
  }
}

/** A claim is one native command, a completion one script, which compares the owner. */
export const completion = `
local current = redis.call("GET", KEYS[1])
if current and string.sub(current, 1, #ARGV[1]) == ARGV[1] then return redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3]) end
return false`

export type Send = (...command: ReadonlyArray<string>) => Promise<unknown>

export const onRedis = async (send: Send): Promise<Contested> => {
  const sha = String(await send("SCRIPT", "LOAD", completion))
  const set = (id: string, value: string) => send("SET", id, value, "NX", "GET", "PX", String(ttl))
  return {
    call: async (key) => {
      const { fingerprint, id } = hashes(key)
      const owner = randomUUID()
      const found = await set(id, `${owner} ${fingerprint} `)
      if (typeof found === "string") {
        const [, theirs = "", body = ""] = found.split(" ", 3)
        return judge(
          { fingerprint: theirs, body: body === "" ? undefined : found.slice(owner.length + theirs.length + 2) },
          fingerprint
        )
      }
      const receipt = await chargeLater(payload)
      const done = `${owner} ${fingerprint} ${JSON.stringify(receipt)}`
      if ((await send("EVALSHA", sha, "1", id, owner, done, String(ttl))) === null) throw new Error("409")
      return receipt
    },
    claim: (key) => {
      const { fingerprint, id } = hashes(key)
      void set(id, `${randomUUID()} ${fingerprint} `)
    }
  }
}
