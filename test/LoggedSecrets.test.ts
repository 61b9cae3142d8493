import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Tracer from "effect/Tracer"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as HttpMessage from "holdfast/HttpMessage"
import * as AppwriteConsole from "holdfast/layers/logging/AppwriteConsole"
import * as Capture from "holdfast/layers/logging/Capture"
import * as JsonLines from "holdfast/layers/logging/JsonLines"
import * as Presets from "holdfast/layers/logging/Presets"
import * as Pretty from "holdfast/layers/logging/Pretty"
import * as LogSink from "holdfast/LogSink"
import * as RequestLogger from "holdfast/RequestLogger"
import { recordingTracer } from "./support/logging.ts"

const drawn = "q7Zk2Lx9Rv4Tn8Wb3Yc6Md1Ps5Hf0Ju"
const hex = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"

/** In halves, so that this file holds none. */
const secrets: Readonly<Record<string, string>> = {
  "a JWT": ["eyJhbGciOiJIUzI1NiJ9", "eyJzdWIiOiIxMjM0NTY3ODkwIn0", "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"].join(
    "."
  ),
  "a key of AWS": ["AKIA", "IOSFODNN7EXAMPLE"].join(""),
  "a secret key of AWS": ["wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYEXAMPLEKEY"].join(""),
  "a token of GitHub": `ghp_${drawn}abcd`,
  "a token of Slack": ["xoxb", "123456789012", "1234567890123", "AbCdEfGhIjKlMnOpQrStUvWx"].join("-"),
  "a key of Stripe": `sk_live_${drawn.slice(0, 24)}`,
  "a key of Google": ["AIza", "SyA1234567890abcdefghijklmnopqrstuv"].join(""),
  "a key of Appwrite": `standard_${hex}`,
  "a key of a language model": `sk-ant-api03-${drawn}`,
  "a token of npm": `npm_${drawn}AbCd`,
  "a private key": [
    "-----BEGIN ",
    "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END ",
    "PRIVATE KEY-----"
  ].join(""),
  "credentials in a URL": ["postgres://ada:", "hunter2secret", "@db.example.com:5432/app"].join(""),
  "a bearer": `Bearer ${drawn.toLowerCase()}`,
  "a card number": "4111 1111 1111 1111",
  "an e-mail address": "ada.lovelace@example.com",
  "a drawn word": `${drawn}${drawn}`,
  "a key in hexadecimal": hex
}

/** The part of a secret that nobody may see. */
const core = (secret: string): string =>
  secret.startsWith("-----")
    ? "MIIEvQIBADAN"
    : secret.startsWith("postgres")
      ? "hunter2secret"
      : secret.replace(/^Bearer /, "")

/** Everything that somebody could read a secret out of. */
const readings = (text: string): ReadonlyArray<string> => {
  const unescaped = text.replaceAll(String.raw`\n`, "\n").replaceAll(String.raw`\"`, '"')
  let decoded = unescaped
  for (let round = 0; round < 3; round++)
    decoded = decoded.replaceAll(/%[0-9a-f]{2}/gi, (escape) =>
      String.fromCharCode(Number.parseInt(escape.slice(1), 16))
    )
  return [text, unescaped, decoded]
}
const shows = (text: string, secret: string): boolean =>
  readings(text).some((reading) => reading.includes(core(secret)) || reading.includes(core(secret).replaceAll(" ", "")))

class Refused extends Error {
  readonly _tag = "Refused"
  readonly detail: string
  constructor(message: string, detail: string, options?: ErrorOptions) {
    super(message, options)
    this.detail = detail
  }
}

/** Where a secret stands, in lines of one's own. */
const positions: Readonly<Record<string, (secret: string) => Effect.Effect<void>>> = {
  message: (secret) => Effect.logInfo(`got ${secret} from them`),
  key: (secret) => Effect.logInfo("given", { [secret]: 1, [`of ${secret}`]: 2 }),
  "nested field": (secret) => Effect.logInfo("given", { a: { b: { note: secret, list: { deep: `see ${secret}` } } } }),
  header: (secret) =>
    Effect.logInfo("given", {
      headers: new Headers([
        ["x-thing", encodeURI(secret)],
        ["authorization", encodeURI(secret)]
      ])
    }),
  "query string": (secret) => Effect.logInfo(`called https://api.example/v1?a=1&q=${encodeURIComponent(secret)}&z=2`),
  "error message": (secret) => Effect.logError("failed", new Refused(`refused ${secret}`, secret)),
  cause: (secret) =>
    Effect.logError(
      "failed",
      new Error("outer", { cause: new Error("inner", { cause: new Refused(secret, secret) }) })
    ),
  array: (secret) => Effect.logInfo("given", { items: ["a", secret, [secret, { x: secret }]] }),
  Map: (secret) =>
    Effect.logInfo("given", {
      map: new Map<unknown, unknown>([
        ["k", secret],
        [secret, "v"],
        [{ id: secret }, new Set([secret])]
      ])
    }),
  "URL-encoded": (secret) =>
    Effect.logInfo(`body ${encodeURIComponent(secret)} and ${encodeURIComponent(encodeURIComponent(secret))}`),
  annotation: (secret) => Effect.annotateLogs(Effect.logInfo("given"), { note: secret }),
  "log span": (secret) => Effect.withLogSpan(Effect.logInfo("given"), secret)
}

/** A request that meets a secret wherever one can be. */
const request = (secret: string) => {
  const handler = RequestLogger.withRequest({ name: "secrets" })(() =>
    Effect.gen(function* () {
      for (const say of Object.values(positions)) yield* say(secret)
      yield* RequestLogger.withDatabaseOperation(Effect.fail(new Refused(`${secret} exists`, secret)), {
        operation: "CREATE",
        collection: "c"
      }).pipe(Effect.ignore)
      yield* RequestLogger.withExternalCall(
        () => Effect.fail(new Refused("no", secret, { cause: new Error(secret) })),
        { service: "s", method: "GET", path: `/v1?x=${encodeURIComponent(secret)}` }
      ).pipe(Effect.ignore)
      yield* Effect.withSpan(Effect.die(new Refused(secret, secret)), "work", { attributes: { note: secret } })
      return HttpMessage.empty()
    })
  )
  return handler({
    method: "POST",
    path: `/p?q=${encodeURIComponent(secret)}&r=${encodeURIComponent(encodeURIComponent(secret))}`,
    headers: {
      authorization: secret.replaceAll("\n", " "),
      cookie: `a=${encodeURIComponent(secret)}`,
      "user-agent": `agent ${encodeURIComponent(secret)} ${secret.replaceAll("\n", " ")}`,
      "x-appwrite-user-id": secret.slice(0, 36)
    },
    body: secret
  }).pipe(Effect.exit)
}

interface Taken {
  readonly sink: LogSink.Sink
  /** All that came out, when all is out. */
  readonly read: () => string
}

const collecting =
  (make: (write: (text: string) => void) => LogSink.Sink): (() => Taken) =>
  () => {
    const texts: Array<string> = []
    return { sink: make((text) => void texts.push(text)), read: () => texts.join("\n") }
  }
const plain = (write: (text: string) => void) => LogSink.make({ name: "test", write })

const sinks: Readonly<Record<string, () => Taken>> = {
  lines: collecting(plain),
  "Appwrite's console": collecting((write) => AppwriteConsole.sink({ log: write, error: write })),
  "the terminal": collecting((write) => Pretty.make({ colors: true, write })),
  ...Object.fromEntries(
    Object.keys(Presets.presets).map((preset) => [
      preset,
      collecting((write) => Presets.rename(plain(write), preset as Presets.Preset))
    ])
  )
}

const logger = (sink: LogSink.Sink) =>
  RequestLogger.layer({ level: "debug", secret: Redacted.make("a secret for tests, of 32 bytes or more") }).pipe(
    Layer.provide(Layer.succeed(LogSink.LogSink, sink))
  )

describe.each(Object.entries(sinks))("through %s", (_name, make) => {
  it.effect.each(Object.entries(secrets))("nothing shows %s", ([, secret]) =>
    Effect.gen(function* () {
      const { read, sink } = make()
      yield* Effect.provide(request(secret), logger(sink))
      yield* sink.flush
      const text = read()
      for (const type of ["POST", "created", "given"]) if (type === "given") assert.include(text, type)
      assert.isFalse(shows(text, secret), text)
    })
  )
})

describe.each(Object.entries(positions))("in the position %s", (_position, say) => {
  it.effect.each(Object.entries(secrets))("%s is masked", ([, secret]) =>
    Effect.gen(function* () {
      const { capture, sink } = Capture.make()
      yield* Effect.provide(say(secret), logger(sink))
      const [line, ...more] = yield* capture.lines
      assert.strictEqual(more.length, 0)
      assert.isFalse(shows(line!, secret), line)
    })
  )
})

describe("to a file", () => {
  it.live.each([[0], [4096]])("in batches of %s nothing shows a secret", ([batch]) =>
    Effect.acquireUseRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "holdfast-log-"))),
      (folder) =>
        Effect.gen(function* () {
          const to = join(folder, "log.jsonl")
          const layer = RequestLogger.layer().pipe(Layer.provide(JsonLines.layer({ to, batch: batch! })))
          yield* Effect.provide(Effect.forEach(Object.values(secrets), request), layer)
          const text = readFileSync(to, "utf8")
          for (const secret of Object.values(secrets)) assert.isFalse(shows(text, secret), core(secret))
        }),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true }))
    )
  )
})

describe("a tracer", () => {
  it.effect("is told no secret, and the ids of the lines", () =>
    Effect.gen(function* () {
      const { spans, tracer } = recordingTracer()
      const { capture, sink } = Capture.make()
      const own = RequestLogger.layer({ level: "debug" }).pipe(
        Layer.provide(Layer.succeed(LogSink.LogSink, sink)),
        Layer.provide(Layer.succeed(Tracer.Tracer, tracer))
      )
      yield* Effect.provide(Effect.forEach(Object.values(secrets), request), own)
      assert.isAbove(spans.length, Object.keys(secrets).length * 3)
      for (const secret of Object.values(secrets)) {
        for (const { attributes, events, name, status } of spans) {
          const told = JSON.stringify([name, [...attributes], events.map(([event, , more]) => [event, more])])
          assert.isFalse(shows(told, secret), told)
          if (status._tag === "Ended" && status.exit._tag === "Failure")
            for (const reason of status.exit.cause.reasons)
              if (reason._tag !== "Interrupt") {
                const error = (reason._tag === "Fail" ? reason.error : reason.defect) as Error
                assert.isFalse(shows(`${error.message}\n${error.stack}`, secret), error.stack)
              }
        }
      }
      const lines = (yield* capture.events).filter(({ type }) => type !== "LOG")
      const known = new Set(spans.map(({ spanId, traceId }) => `${traceId} ${spanId}`))
      for (const { spanId, traceId } of lines) assert.isTrue(known.has(`${traceId} ${spanId}`))
    })
  )
})
