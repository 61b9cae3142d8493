/** Lines under the names of log services, beside golden files: `UPDATE=1` writes them anew. */
import { assert, describe, it } from "@effect/vitest"
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type * as LogEvent from "holdfast/LogEvent"
import * as LogLine from "holdfast/LogLine"
import * as LogSink from "holdfast/LogSink"
import * as Presets from "holdfast/layers/logging/Presets"
import * as Pretty from "holdfast/layers/logging/Pretty"

const context = { correlationId: "order-17", requestId: "r-1", executionId: "e1", function: "create-recognition" }
const ids = { traceId: "4bf92f3577b34da6a3ce929d0e0e4736", spanId: "2482d0fc1c88adb9" }
const under = { traceId: ids.traceId, spanId: "80b5ba28554627fb", parentSpanId: ids.spanId }
const error: LogEvent.Failure = {
  kind: "failure",
  tag: "CardRefused",
  message: "the card was refused",
  stack: "at charge (charge.ts:1:2)",
  fields: { reason: "empty" },
  causes: [{ tag: "Error", message: "the bank said no", stack: "at bank (bank.ts:3:4)" }]
}
const summary = {
  method: "POST",
  path: "/charge",
  databaseOperations: { count: 1, durationMs: 245 },
  externalCalls: { count: 1, durationMs: 80.5 },
  slowest: { type: "DATABASE_OPERATION", name: "CREATE recognitions", durationMs: 245 },
  coldStart: false,
  replayed: false
}

const events: ReadonlyArray<LogEvent.LogEvent> = [
  {
    type: "REQUEST_INCOMING",
    ...ids,
    method: "POST",
    path: "/charge?token=[redacted:assignment]",
    user: "439f444987619c48",
    timestamp: "2024-01-15T10:30:45.123Z",
    ip: "203.0.113.0",
    level: "info",
    parentSpanId: "00f067aa0ba902b7",
    trigger: "http",
    sampled: true,
    headers: { "content-type": "application/json" },
    ...context
  },
  {
    type: "DATABASE_OPERATION",
    ...under,
    operation: "CREATE",
    collection: "recognitions",
    documentCount: 1,
    duration: "245ms",
    timestamp: "2024-01-15T10:30:45.368Z",
    level: "info",
    durationMs: 245,
    database: "main",
    ...context
  },
  {
    type: "EXTERNAL_CALL",
    ...under,
    service: "bank",
    method: "POST",
    path: "/charge",
    statusCode: 402,
    duration: "81ms",
    timestamp: "2024-01-15T10:30:45.449Z",
    level: "warn",
    durationMs: 80.5,
    error,
    ...context
  },
  {
    type: "LOG",
    ...ids,
    message: "odd\u001b[31m",
    timestamp: "2024-01-15T10:30:45.450Z",
    level: "warn",
    data: { count: 3, list: [1, "a"] },
    spans: { work: 12 },
    ...context
  },
  {
    type: "REQUEST_COMPLETE",
    ...ids,
    statusCode: 200,
    responseTime: "350ms",
    timestamp: "2024-01-15T10:30:45.473Z",
    level: "info",
    durationMs: 350,
    ...summary,
    ...context
  },
  {
    type: "REQUEST_ERROR",
    ...ids,
    statusCode: null,
    responseTime: "350ms",
    timestamp: "2024-01-15T10:30:45.473Z",
    level: "error",
    durationMs: 350.25,
    error,
    ...summary,
    ...context,
    truncated: true
  },
  { type: "LOG", traceId: null, message: "outside", timestamp: "2024-01-15T10:30:45.500Z", level: "debug" }
]

const folder = join(import.meta.dirname, "..", "..", "fixtures", "logging")
const golden = (name: string, text: string) => {
  const path = join(folder, name)
  if (process.env["UPDATE"] === "1") {
    mkdirSync(folder, { recursive: true })
    writeFileSync(path, text)
  }
  assert.strictEqual(text, readFileSync(path, "utf8"))
}

const written = (preset: Presets.Preset, options: Presets.Options): ReadonlyArray<string> => {
  const lines: Array<string> = []
  const sink = Presets.rename(LogSink.make({ name: "test", write: (line) => void lines.push(line) }), preset, options)
  for (const event of events) sink.write(LogLine.format(event), event.level)
  return lines
}

describe("a preset", () => {
  it.each(Object.keys(Presets.presets) as ReadonlyArray<Presets.Preset>)(
    "%s has the names that its service expects",
    (preset) => {
      const lines = written(preset, { service: "recognitions", environment: "production", version: "1.2.3" })
      for (const line of lines) {
        assert.notInclude(line, "\u001b")
        JSON.parse(line)
      }
      golden(`${preset}.jsonl`, `${lines.join("\n")}\n`)
    }
  )

  it("passes on what is no event of ours", () => {
    const lines: Array<string> = []
    const sink = Presets.rename(LogSink.make({ name: "test", write: (line) => void lines.push(line) }), "ecs")
    sink.write('{"other":1}', "info")
    assert.deepStrictEqual(lines, ['{"other":1}'])
  })
})

describe("the terminal", () => {
  it("shows each event in a line for people", () => {
    let text = ""
    const sink = Pretty.make({ colors: false, write: (more) => (text += more) })
    for (const event of events) sink.write(LogLine.format(event), event.level)
    assert.notInclude(text, "\u001b")
    golden("pretty.txt", text)
  })
})

describe("a line", () => {
  it.each(events.map((event, index) => [index, event] as const))(
    "%s is the same event when it is read again",
    (_index, event) => {
      const parsed = LogLine.parse(LogLine.format(event))
      assert.isTrue(parsed._tag === "Success")
      if (parsed._tag === "Success") assert.deepStrictEqual(parsed.success, event)
    }
  )
  it.each(["", "x", "{}", "[]", "null", '{"type":"LOG"}', '{"type":"OTHER","traceId":null}'])("%s is none", (line) => {
    const parsed = LogLine.parse(line)
    assert.strictEqual(parsed._tag, "Failure")
  })
})
