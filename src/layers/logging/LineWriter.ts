/**
 * Lines to a file descriptor: at once, or in batches. It never waits for whoever reads: what does not go out now is
 * kept, up to a bound, and tried again; what can't go out at all is counted as lost, and the next line begins on a line
 * of its own.
 */
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs"

export interface Options {
  /** A descriptor, or the name of a file to append to. */
  readonly to: number | string
  /** Characters that are collected before they are written. 0: every line by itself. */
  readonly batch: number
  /** Milliseconds after which a line is written that waits for others. */
  readonly interval: number
  /** Bytes that wait for a reader at most; lines beyond them are lost. */
  readonly buffer: number
  /** Called with how many lines were lost. */
  readonly onLost: (lines: number) => void
}

/** Milliseconds between two attempts at a reader that takes nothing. */
const patience = 20
/** Milliseconds that a process which ends waits for its reader. */
const lastPatience = 250

/** A name may be of a pipe, as /dev/stdout: neither its opening nor a write waits for a reader. */
const appending = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NONBLOCK

const newline = 10

const linesIn = (bytes: Uint8Array): number => {
  let count = 0
  for (const byte of bytes) if (byte === newline) count++
  return count
}

const isFull = (error: unknown): boolean =>
  error instanceof Error && "code" in error && (error.code === "EAGAIN" || error.code === "EWOULDBLOCK")

/** Sleeps without giving up the thread: for the end of a process alone. */
const pause = (milliseconds: number): void => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

export class LineWriter {
  readonly #descriptor: number
  readonly #options: Options
  /** Lines that are collected. */
  #texts = ""
  /** What a reader did not take yet, in order. */
  #pending: Array<Uint8Array> = []
  #pendingBytes = 0
  /** The last line that went out did not go out whole. */
  #isBroken = false
  #timer: NodeJS.Timeout | undefined
  #lost = 0
  /** Somebody has waited for a reader in vain; until it reads again nobody does. */
  #isStuck = false
  #waiting: Array<() => void> = []

  /** Throws what opening the file throws. */
  constructor(options: Options) {
    this.#options = options
    const { to } = options
    this.#descriptor = typeof to === "string" ? openSync(to, appending, 0o640) : to
    const kind = fstatSync(this.#descriptor)
    // Node sets pipes of its standard streams not to block when it opens them; a reader that stops would stop us.
    if (typeof to === "number" && (kind.isFIFO() || kind.isSocket())) void (to === 2 ? process.stderr : process.stdout)
  }

  get lost(): number {
    return this.#lost
  }

  get isEmpty(): boolean {
    return this.#texts === "" && this.#pending.length === 0
  }

  write(line: string): void {
    if (this.#options.batch === 0 && this.#pending.length === 0) return this.#send(`${line}\n`)
    this.#texts += `${line}\n`
    if (this.#texts.length >= Math.max(this.#options.batch, 1)) this.#sendTexts()
    else this.#wake(this.#options.interval)
  }

  /** Writes what can go out now. */
  flushNow(): void {
    this.#sendTexts()
    this.#drain()
  }

  /** Nobody waits for this reader again until it reads. */
  giveUp(): void {
    this.#isStuck = true
  }

  /** Calls back once all is out, or given up; at once where it is. */
  whenEmpty(done: () => void): () => void {
    this.flushNow()
    if (this.#pending.length === 0 || this.#isStuck) {
      done()
      return () => {}
    }
    this.#waiting.push(done)
    return () => {
      this.#waiting = this.#waiting.filter((one) => one !== done)
    }
  }

  /** The last attempt of a process that ends: it waits a moment for a reader that is slow. */
  last(): void {
    this.flushNow()
    for (let waited = 0; this.#pending.length > 0 && waited < lastPatience; waited += 5) {
      pause(5)
      this.#drain()
    }
  }

  close(): void {
    this.last()
    clearTimeout(this.#timer)
    for (const bytes of this.#pending) this.#lose(linesIn(bytes))
    this.#pending = []
    if (typeof this.#options.to === "string") closeSync(this.#descriptor)
  }

  #lose(lines: number): void {
    if (lines === 0) return
    this.#lost += lines
    this.#options.onLost(lines)
  }

  #wake(after: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.flushNow()
    }, after).unref()
  }

  #sendTexts(): void {
    if (this.#texts === "") return
    const text = this.#texts
    this.#texts = ""
    if (this.#pending.length > 0) this.#keep(Buffer.from(text))
    else this.#send(text)
  }

  #send(text: string): void {
    const whole = this.#isBroken ? `\n${text}` : text
    let written: number
    try {
      written = writeSync(this.#descriptor, whole)
    } catch (error) {
      if (isFull(error)) {
        this.#isBroken = false
        this.#keep(Buffer.from(whole))
      } else this.#lose(linesIn(Buffer.from(text)))
      return
    }
    this.#isBroken = false
    // As long in characters as in bytes, most often.
    if (written !== whole.length || written !== Buffer.byteLength(whole)) {
      const bytes = Buffer.from(whole)
      if (written < bytes.length) this.#rest(bytes.subarray(written), written > 0 && bytes[written - 1] !== newline)
    }
  }

  /** What is left of a chunk that did not go out whole. */
  #rest(bytes: Uint8Array, isInLine: boolean): void {
    this.#isBroken = isInLine
    this.#pending.unshift(bytes)
    this.#pendingBytes += bytes.length
    this.#drain()
  }

  #keep(bytes: Uint8Array): void {
    if (this.#pendingBytes + bytes.length > this.#options.buffer) return this.#lose(linesIn(bytes))
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    this.#wake(patience)
  }

  #drain(): void {
    while (this.#pending.length > 0) {
      const bytes = this.#pending[0]!
      let written: number
      try {
        written = writeSync(this.#descriptor, bytes)
      } catch (error) {
        if (isFull(error)) return this.#wake(patience)
        this.#drop()
        break
      }
      this.#pendingBytes -= written
      if (written > 0) this.#isStuck = false
      this.#isBroken = written < bytes.length && bytes[written - 1] !== newline
      if (written < bytes.length) this.#pending[0] = bytes.subarray(written)
      else this.#pending.shift()
    }
    if (this.#pending.length > 0) return
    const waiting = this.#waiting
    this.#waiting = []
    for (const done of waiting) done()
  }

  /** Nothing more goes out: a closed pipe, a full disk. */
  #drop(): void {
    for (const bytes of this.#pending) this.#lose(linesIn(bytes))
    this.#pending = []
    this.#pendingBytes = 0
  }
}
