/** Programs of this folder as child processes: their lines, signals to them, and how they end. */
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { whenever } from "./whenever.ts"

export interface Ending {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Child {
  readonly pid: number
  /** All that it has printed on stdout so far, a line each. */
  readonly lines: () => ReadonlyArray<string>
  /** Waits for a line that begins like this, printed already or to come; answers it. Dies where the program ends first. */
  readonly line: (start: string) => Effect.Effect<string>
  readonly kill: (signal: NodeJS.Signals) => Effect.Effect<void>
  /** Waits until it is gone. */
  readonly ended: Effect.Effect<Ending>
}

/** Starts `test/support/PROGRAM` by this very Node, which strips its types; killed with the scope at the latest. */
export const start = (program: string, ...parameters: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(
          process.execPath,
          ["--conditions=source", join(import.meta.dirname, program), ...parameters],
          { stdio: ["ignore", "pipe", "pipe"] }
        )
        const seen: Array<string> = []
        const listeners = new Set<() => void>()
        const tell = () => {
          for (const listener of listeners) listener()
        }
        let ending: Ending | undefined
        let complaints = ""
        child.stderr.setEncoding("utf8").on("data", (text: string) => {
          complaints += text
        })
        createInterface({ input: child.stdout }).on("line", (line) => {
          seen.push(line)
          tell()
        })
        // `close` comes when all that it printed has been read too.
        child.on("close", (code, signal) => {
          ending = { code, signal }
          tell()
        })
        return { child, seen, listeners, ending: () => ending, complaints: () => complaints }
      }),
      ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
    ),
    ({ child, complaints, ending, listeners, seen }): Child => {
      const when = whenever(listeners)
      return {
        pid: child.pid!,
        lines: () => seen,
        line: (start) =>
          Effect.flatMap(
            when(() => seen.find((line) => line.startsWith(start)) ?? (ending() === undefined ? undefined : null)),
            (line) =>
              line === null
                ? Effect.die(
                    new Error(`${program} ended (${JSON.stringify(ending())}) without ${start}: ${complaints()}`)
                  )
                : Effect.succeed(line)
          ),
        kill: (signal) => Effect.sync(() => void child.kill(signal)),
        ended: when(ending)
      }
    }
  )
