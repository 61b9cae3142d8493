/**
 * Lines of log files, plain or gzip, as the first bytes tell: gigabytes in memory that stays the same. While one chunk
 * is looked through, the next is being read.
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import { type FileHandle, open, stat } from "node:fs/promises"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import { Collector } from "../../internal/traces/Collector.ts"
import { type Count, Lines, type Options as LinesOptions } from "../../internal/traces/Lines.ts"
import type { LogEvent } from "../../LogEvent.ts"
import * as LogLine from "../../LogLine.ts"
import { LogUnreadable, type Overview, type Searched, Statistics, TraceNotFound } from "../../TraceReport.ts"

/** Bytes of a read. */
const chunkSize = 1024 * 1024
/** Bytes that are unpacked at a time. */
const unpackedSize = 256 * 1024

interface Read extends Count {
  readonly isCutShort: boolean
}

const isGzip = (bytes: Buffer): boolean => bytes[0] === 0x1f && bytes[1] === 0x8b

/** Standard input, and what is no file, comes as a stream whose first chunk may be a single byte. */
const whole = async function* (source: AsyncIterable<Buffer>, first: Buffer): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first
  yield* source
}

/** Unpacks all members, one after the other. Answers whether the last one lacks its end. */
const unpack = async (source: AsyncIterable<Buffer>, lines: Lines, signal: AbortSignal): Promise<boolean> => {
  try {
    await pipeline(
      source,
      createGunzip({ chunkSize: unpackedSize }),
      async (unpacked: AsyncIterable<Buffer>) => {
        for await (const chunk of unpacked) lines.push(chunk)
      },
      { signal }
    )
    return false
  } catch (error) {
    // As of a log that is being written, or was copied while it was.
    if (error instanceof Error && "code" in error && error.code === "Z_BUF_ERROR") return true
    throw error
  }
}

const readStream = async (stream: AsyncIterable<Buffer>, lines: Lines, signal: AbortSignal): Promise<boolean> => {
  const source = stream[Symbol.asyncIterator]()
  const rest: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => source }
  let first: Buffer = Buffer.alloc(0)
  while (first.length < 2) {
    const next = await source.next()
    if (next.done === true) break
    first = Buffer.concat([first, next.value])
  }
  if (isGzip(first)) return unpack(whole(rest, first), lines, signal)
  for await (const chunk of whole(rest, first)) {
    signal.throwIfAborted()
    lines.push(chunk)
  }
  return false
}

/** To its end, or as far as it went when it was opened: a log may grow as fast as it is read. */
const readFile = async (handle: FileHandle, size: number, lines: Lines, signal: AbortSignal): Promise<boolean> => {
  let [reading, looking] = [Buffer.allocUnsafeSlow(chunkSize), Buffer.allocUnsafeSlow(chunkSize)]
  let left = size
  let at = 0
  const next = async () => {
    const { bytesRead } = await handle.read(reading, 0, Math.min(chunkSize, left), at)
    at += bytesRead
    left -= bytesRead
    return bytesRead
  }
  for (let bytes = await next(); bytes > 0;) {
    signal.throwIfAborted()
    if (at === bytes && isGzip(reading.subarray(0, bytes))) {
      const stream = handle.createReadStream({ start: 0, end: size - 1, highWaterMark: unpackedSize, autoClose: false })
      return unpack(stream as AsyncIterable<Buffer>, lines, signal)
    }
    ;[reading, looking] = [looking, reading]
    const coming = left > 0 ? next() : Promise.resolve(0)
    lines.push(looking.subarray(0, bytes))
    bytes = await coming
  }
  return false
}

/** Looked at without opening it: a pipe that was opened once is used up. */
const isRepeatable = async (file: string): Promise<boolean> => file !== "-" && (await stat(file)).isFile()

const readAny = async (file: string, lines: Lines, signal: AbortSignal): Promise<boolean> => {
  if (file === "-") return readStream(process.stdin, lines, signal)
  const handle = await open(file)
  try {
    const facts = await handle.stat()
    if (facts.isFile()) return await readFile(handle, facts.size, lines, signal)
    return await readStream(handle.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>, lines, signal)
  } finally {
    await handle.close()
  }
}

const details: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "it may not be read. Check its permissions",
  EISDIR: "it is a folder. Name the files in it",
  Z_DATA_ERROR: "it begins as gzip does, and what is in it is damaged",
  Z_BUF_ERROR: "it begins as gzip does, and has no end"
}

/** What the system or the packing refuses; the rest is ours. */
const attempt = <A>(file: string, body: (signal: AbortSignal) => Promise<A>): Effect.Effect<A, LogUnreadable> =>
  Effect.tryPromise({ try: body, catch: (error) => error }).pipe(
    Effect.catch((error) =>
      error instanceof Error && "code" in error && typeof error.code === "string"
        ? Effect.fail(new LogUnreadable({ file, detail: details[error.code] ?? error.message }))
        : Effect.die(error)
    )
  )

/** Visits the lines of one file; `-` is standard input. */
export const read = (file: string, options: LinesOptions): Effect.Effect<Read, LogUnreadable> =>
  attempt(file, async (signal) => {
    const lines = new Lines(options)
    const isCutShort = await readAny(file, lines, signal)
    return { ...lines.end(), isCutShort }
  })

const sum = (files: ReadonlyArray<string>, reads: ReadonlyArray<Read>, skipped: number): Searched => ({
  files,
  bytes: reads.reduce((all, { bytes }) => all + bytes, 0),
  lines: reads.reduce((all, { lines }) => all + lines, 0),
  linesAreExact: reads.every(({ isExact }) => isExact),
  skipped: skipped + reads.reduce((all, { tooLong }) => all + tooLong, 0),
  notes: reads.flatMap(({ isCutShort }, index) =>
    isCutShort
      ? [`${files[index]} has no proper end, as if it was copied while it was written: what is there was read`]
      : []
  )
})

export interface Found {
  readonly events: ReadonlyArray<LogEvent>
  readonly searched: Searched
  /** Events beyond those that are kept, and traces beyond those that are shown. */
  readonly left: number
  readonly moreTraces: number
}

/**
 * The events of each trace that has this id, or carries it as its correlation, request or execution. For such an id the
 * files are read twice: the other requests of its traces need not carry it.
 */
export const find = Effect.fnUntraced(function* (id: string, files: ReadonlyArray<string>, mostEvents?: number) {
  const collector = new Collector(id, mostEvents)
  const repeatable = new Set<string>()
  const reads = yield* Effect.forEach(files, (file) =>
    Effect.gen(function* () {
      const again = yield* attempt(file, () => isRepeatable(file))
      if (again) repeatable.add(file)
      return yield* read(file, { needles: collector.needles, visit: (line) => collector.add(line, again) })
    })
  )
  const { others } = collector
  const searched = sum(files, reads, collector.skipped)
  if (collector.events.length === 0) {
    const { bytes, lines, linesAreExact } = searched
    return yield* new TraceNotFound({ id, files, bytes, lines, linesAreExact })
  }
  if (others.length > 0 && repeatable.size > 0) {
    const wanted = new Set(others)
    collector.forget()
    for (const file of repeatable)
      yield* read(file, {
        needles: others.map((traceId) => `"${traceId}"`),
        visit: (line) => collector.addOther(line, wanted)
      })
  }
  const notes =
    others.length > 0 && repeatable.size < files.length
      ? [
          `what is piped in is read once: other lines of these traces, which do not carry ${id}, are not shown. Give a file, or a trace id`
        ]
      : []
  const found: Found = {
    events: collector.events,
    searched: { ...searched, notes: [...searched.notes, ...notes] },
    left: collector.left,
    moreTraces: collector.moreTraces
  }
  return found
})

/** What all requests come to. */
export const survey = Effect.fnUntraced(function* (files: ReadonlyArray<string>) {
  const statistics = new Statistics()
  let skipped = 0
  const visit = (line: string) => {
    const parsed = LogLine.parse(line)
    if (Result.isSuccess(parsed)) statistics.add(parsed.success)
    else if (line.trim() !== "") skipped++
  }
  const reads = yield* Effect.forEach(files, (file) => read(file, { visit }))
  const surveyed: { readonly overview: Overview; readonly searched: Searched } = {
    overview: statistics.overview,
    searched: sum(files, reads, skipped)
  }
  return surveyed
})
