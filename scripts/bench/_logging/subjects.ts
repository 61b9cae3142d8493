/** Who is measured, by name. Each lives in a process of its own, whose standard output goes where its lines shall go. */
import type { Line } from "./lines.ts"
import * as Ours from "./ours.ts"
import * as Peers from "./peers.ts"

export interface Subject {
  /** What a run is given that is not part of its work. */
  readonly prepare?: (count: number) => unknown
  /** Logs all of them within one request, and ends when all are out. `each` is called behind every call. */
  readonly run: (lines: ReadonlyArray<Line>, each?: (index: number) => void, prepared?: unknown) => Promise<void>
}

/** Characters of a batch, of theirs and of ours. */
export const batch = 4096

const each = { batch: 0, patterns: true } as const
const batched = { batch, patterns: true } as const
const bare = { patterns: false } as const

const all = {
  "pino, paths only": (to: string) => Peers.pinoTo(to, 0),
  "pino, paths only, batched": (to: string) => Peers.pinoTo(to, batch),
  "Effect.logInfo": (to: string) => Ours.effect({ to, ...each }),
  "Effect.logInfo, batched": (to: string) => Ours.effect({ to, ...batched }),
  "Effect.logInfo, no patterns": (to: string) => Ours.effect({ to, ...each, ...bare }),
  "Effect.logInfo, no patterns, batched": (to: string) => Ours.effect({ to, ...batched, ...bare }),
  service: (to: string) => Ours.service({ to, ...each }),
  "service, batched": (to: string) => Ours.service({ to, ...batched }),
  "service, no patterns": (to: string) => Ours.service({ to, ...each, ...bare }),
  "service, no patterns, batched": (to: string) => Ours.service({ to, ...batched, ...bare }),
  "log.info of async handlers": (to: string) => Ours.asyncHandler({ to, ...each }),
  "log.info of async handlers, batched": (to: string) => Ours.asyncHandler({ to, ...batched }),
  Powertools: () => Peers.powertools(),
  "console.log": () => Peers.consoleLog(),
  "withRequest, lines dropped": () => Ours.requests({ to: undefined, ...each }),
  withRequest: (to: string) => Ours.requests({ to, ...each }),
  "withDatabaseOperation, lines dropped": () => Ours.operations({ to: undefined, ...each }),
  withDatabaseOperation: (to: string) => Ours.operations({ to, ...each }),
  "Effect.logDebug": (to: string) => Ours.silentEffect({ to, ...each }),
  "service, debug": (to: string) => Ours.silentService({ to, ...each }),
  "pino.debug": () => Peers.silentPino()
} as const satisfies Readonly<Record<string, (to: string) => () => Subject>>

export type Name = keyof typeof all

/** `to`: the name of a file, or of a device. */
export const make = (name: Name, to: string): Subject => all[name](to)()
