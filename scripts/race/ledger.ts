/**
 * What the processes of a race tell: the ledger of handlers, one file to which all append, and what they print of
 * answers, faults and stops. Times are milliseconds of the machine's monotonic clock, which all processes share.
 */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs"

export const monotonic = (): number => Number(process.hrtime.bigint()) / 1e6

interface Handler {
  readonly at: number
  readonly round: number
  /** Of this handler's run, and of no other. */
  readonly run: string
}

/** Where an owner can be stopped, by part of the request. */
export const points = {
  before: ["claim sent", "claimed", "starting"],
  in: ["running", "renewal sent", "renewed"],
  after: ["completion sent", "completed", "answering"]
} as const
export type Part = keyof typeof points
export type Point = (typeof points)[Part][number]

/** `lease`: when it ends, as its owner knows it; it counts from `at` on. */
export type Entry =
  /** `token`: of the generation. `expiresAt`: its end. */
  | (Handler & {
      readonly mark: "start"
      readonly process: number
      readonly token: string
      readonly lease: number
      readonly expiresAt: number
    })
  | (Handler & { readonly mark: "renewed"; readonly lease: number })
  /** `released`: it failed, and nothing has happened. */
  | (Handler & { readonly mark: "end"; readonly how: "done" | "released" | "interrupted" })

/** What a process prints, a line each. */
export type Told =
  | { readonly mark: "ready" }
  | { readonly mark: "broken"; readonly detail: string }
  | { readonly mark: "lost" | "delayed" | "garbage"; readonly round: number }
  | { readonly mark: "stopping"; readonly round: number; readonly point: Point; readonly milliseconds: number }
  | Answer

/** One answer of one call. */
export interface Answer {
  readonly mark: "answer"
  readonly at: number
  readonly round: number
  readonly process: number
  /** `value`, or the tag of the error. */
  readonly tag: string
  /** `first`, `replayed`, `unrecorded`; of a transaction `recorded`; why a key is in progress; else what was wrong. */
  readonly status: string
  /** The value, as JSON. */
  readonly body: string
  /** The run whose value it is. */
  readonly run: string
  /** Runs of the handler that this call has started. */
  readonly ran: ReadonlyArray<string>
  /** Whether the caller is done. */
  readonly isFinal: boolean
}

/** Answers a function that appends; a line is written whole, whoever else writes. */
export const open = (path: string): ((entry: Entry) => void) => {
  const file = openSync(path, "a")
  process.on("exit", () => closeSync(file))
  return (entry) => void writeSync(file, `${JSON.stringify(entry)}\n`)
}

export const read = (path: string): ReadonlyArray<Entry> =>
  readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Entry]))
