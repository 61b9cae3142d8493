/** Flags of the emulator. */
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import type { Key } from "../../layers/vendors/appwrite/emulator/Access.ts"

const between = (minimum: number, maximum: number) =>
  Schema.Finite.check(Schema.isBetween({ minimum, maximum }, { message: `expected ${minimum} to ${maximum}` }))

const count = (name: string, description: string, metavar: string, fallback: number, maximum: number) =>
  Flag.Int(name).pipe(
    Flag.withDescription(description),
    Flag.withMetavar(metavar),
    Flag.withSchema(between(0, maximum)),
    Flag.withDefault(fallback)
  )

/** `KEY` or `KEY=scope,scope`. */
const key = (text: string): Key => {
  const sign = text.indexOf("=")
  if (sign < 0) return { secret: text }
  return {
    secret: text.slice(0, sign),
    scopes: text
      .slice(sign + 1)
      .split(",")
      .filter((scope) => scope !== "")
  }
}

/** The key that there is where none is given. */
export const defaultKey: Key = { secret: "holdfast-key" }

const day = 86_400_000

export const flags = {
  port: count("port", "Port to listen on; 0 takes a free one", "PORT", 8090, 65_535),
  host: Flag.String("host").pipe(
    Flag.withDescription("Address to listen on. Anything but the loopback lets others in"),
    Flag.withMetavar("ADDRESS"),
    Flag.withDefault("127.0.0.1")
  ),
  database: Flag.String("database").pipe(
    Flag.withDescription("Where data lies: sqlite:PATH or memory:. Files lie beside it, in PATH-storage"),
    Flag.withMetavar("URL"),
    Flag.withDefault("memory:")
  ),
  project: Flag.String("project").pipe(
    Flag.withDescription("Id of the one project"),
    Flag.withMetavar("ID"),
    Flag.withDefault("holdfast")
  ),
  keys: Flag.String("key").pipe(
    Flag.withDescription(`An API key, with all scopes or those named; may be repeated. Default ${defaultKey.secret}`),
    Flag.withMetavar("KEY[=SCOPE,…]"),
    Flag.atLeast(0),
    Flag.map((texts) => (texts.length === 0 ? [defaultKey] : texts.map(key)))
  ),
  latency: count("latency", "Milliseconds that each call takes more, on average", "MS", 0, day),
  fail: Flag.Finite("fail").pipe(
    Flag.withDescription("Share of calls that meet a fault: refused, 503, 500, 429, cut before or after the effect"),
    Flag.withMetavar("RATE"),
    Flag.withSchema(between(0, 1)),
    Flag.withDefault(0)
  ),
  seed: Flag.Int("seed").pipe(
    Flag.withDescription("The same seed, the same faults"),
    Flag.withMetavar("N"),
    Flag.withDefault(1)
  ),
  settle: count("settle", "Milliseconds until new attributes and indexes are available", "MS", 0, day),
  quirks: Flag.Boolean("quirks").pipe(
    Flag.withDescription("Also do what the real server does wrong"),
    Flag.withDefault(false)
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Say where it listens in one line of JSON"),
    Flag.withDefault(false)
  )
} as const
