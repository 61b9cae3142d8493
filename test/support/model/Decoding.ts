/** Bytes as worlds: what `Encoding` left out is filled with what nobody reads. */
import type { Parameters, Row } from "../../../src/EpochLog.ts"
import { clocksAt, hasDeadline, isEnd, kinds, landings, sents, wants, writes } from "./Format.ts"
import type {
  Abandoned,
  Configuration,
  Content,
  Flight,
  Ghost,
  Landed,
  Machine,
  Process,
  Sent,
  Slot,
  World
} from "./World.ts"
import { nobody, nonces } from "./World.ts"

type Acquiring = Extract<Machine, { readonly _tag: "Acquiring" }>
type Owning = Extract<Machine, { readonly _tag: "Owning" }>
type Writing = NonNullable<Owning["writing"]>

const idle: Machine = { _tag: "Idle" }
const none: ReadonlyArray<Slot> = []
const longAgo = -1000

/** A row of which only the kind is read, if anything. */
const blank = (kind: Row<Content>["kind"]): Slot => ({
  slot: 0,
  kind,
  generation: nobody,
  owner: nobody,
  fingerprint: "f",
  leaseExpiresAt: longAgo,
  expiresAt: longAgo,
  purgeAt: longAgo,
  step: null,
  content: null
})
const blanks = kinds.map(blank)
const forgotten: Acquiring = {
  _tag: "Acquiring",
  fingerprint: "f",
  sent: "list",
  claim: blanks[0]!,
  lease: longAgo,
  unanswered: false,
  before: undefined
}
const wanted = (tag: (typeof wants)[number], step: boolean, content: Content): Writing["want"] => {
  switch (tag) {
    case "Renewal":
      return { _tag: "Renewal", step }
    case "Step":
      return { _tag: "Step", step: "s", content }
    case "Released":
      return { _tag: "Released" }
    case "Done":
    case "Commit":
      return { _tag: tag, content }
  }
}
const purgeAt = ({ margin, purgeDelay, rules }: Parameters, expiresAt: number): number =>
  rules.purgeAfterMargin ? expiresAt + margin + purgeDelay : expiresAt

export const decoding = (configuration: Configuration): ((bytes: Uint8Array, offset: number) => World) => {
  const { parameters } = configuration
  let bytes = new Uint8Array(0)
  let at = 0
  let named = 0
  const table: Array<Slot> = []

  const nonce = (): string => {
    const code = bytes[at++]!
    if (code > named) named = code
    return nonces[code]!
  }
  const time = (): number => bytes[at++]! - clocksAt
  const row = (): Slot => {
    const head = bytes[at++]!
    if (head >= 0x80) return table[head & 0x7f]!
    const kind = kinds[head >> 3]!
    const generation = nonce()
    const owner = nonce()
    // Its place is kept, so that all rows are of one length.
    const lease = time()
    const expiresAt = time()
    const leaseExpiresAt = isEnd(kind) ? expiresAt : lease
    const value: Slot = {
      slot: head & 7,
      kind,
      generation,
      owner,
      fingerprint: "f",
      leaseExpiresAt,
      expiresAt,
      purgeAt: purgeAt(parameters, expiresAt),
      step: kind === "step" ? "s" : null,
      content: kind === "step" || kind === "done" ? owner : null
    }
    table.push(value)
    return value
  }
  const rows = (): ReadonlyArray<Slot> => {
    const count = bytes[at++]!
    if (count === 0) return none
    const values: Array<Slot> = []
    for (let index = 0; index < count; index++) values.push(row())
    return values
  }

  const command = (tag: Sent["_tag"]): Sent => {
    switch (tag) {
      case "Create": {
        const value = row()
        return { _tag: "Create", row: value, list: value.slot === 0 }
      }
      case "Commit":
        return { _tag: "Commit", row: row() }
      case "List":
        return { _tag: "List" }
      case "DeleteGeneration":
        return { _tag: "DeleteGeneration", generation: nonce() }
      case "DeleteRow": {
        const generation = nonce()
        return { _tag: "DeleteRow", generation, slot: bytes[at++]! }
      }
    }
  }
  const flight = (held: ReadonlyArray<Slot>): Flight | undefined => {
    const head = bytes[at++]!
    if (head === 0) return undefined
    const sent = command(writes[(head & 7) - 1]!)
    const landed: Landed | undefined = head >> 3 === 0 ? undefined : landings[(head >> 3) - 1]
    let targets: ReadonlyArray<Slot> | undefined
    if (sent._tag === "DeleteGeneration" && landed === undefined) {
      const mask = bytes[at++]!
      if (mask !== 0) targets = held.filter(({ slot }) => (mask & (1 << slot)) !== 0)
    }
    let seen: ReadonlyArray<Slot> | undefined
    if (sent._tag === "List" ? landed !== undefined : sent._tag === "Create" && (sent.list || configuration.topAlone))
      if (bytes[at++] === 1) seen = rows()
    return { command: sent, landed, seen, targets }
  }

  const acquiring = (): Machine => {
    const head = bytes[at++]!
    const sent = sents[head & 3] as Acquiring["sent"]
    if ((head & 4) !== 0) return { ...forgotten, sent }
    const claim = row()
    const steps = configuration.steps ? rows() : none
    const kind = parameters.atMostOnce ? bytes[at++]! : 0
    const before: Acquiring["before"] =
      kind === 0 && steps.length === 0
        ? undefined
        : { rows: [kind === 0 ? blanks[0]! : blanks[kind - 1]!], steps, garbage: undefined }
    return {
      _tag: "Acquiring",
      fingerprint: "f",
      sent,
      claim,
      lease: claim.leaseExpiresAt,
      unanswered: (head & 8) !== 0,
      before
    }
  }
  const owning = (): Machine => {
    const head = bytes[at++]!
    const mine = row()
    const handler = (["waiting", "running", "ended"] as const)[head & 3]!
    const steps = configuration.steps && handler !== "ended" ? rows() : none
    let writing: Owning["writing"]
    if (head >> 3 !== 0) {
      const tag = wants[(head >> 3) - 1]!
      const more = bytes[at++]!
      const sent = sents[more & 7] as Writing["sent"]
      const written = tag !== "Commit" || (sent !== "list" && sent !== "clear") ? row() : mine
      writing = {
        want: wanted(tag, (more & 16) !== 0, mine.owner),
        row: written,
        lease: written.leaseExpiresAt,
        sent,
        invalid: (more & 8) !== 0
      }
    }
    return {
      _tag: "Owning",
      row: mine,
      lease: mine.leaseExpiresAt,
      handler,
      steps,
      reconcile: (head & 4) !== 0,
      writing
    }
  }
  const process = (held: ReadonlyArray<Slot>): Process => {
    const head = bytes[at++]!
    const tag = head & 3
    const machine = tag === 0 ? idle : tag === 1 ? acquiring() : owning()
    const deadline = machine._tag === "Owning" && hasDeadline(parameters, machine) ? time() : longAgo
    return {
      clock: head >> 5,
      requests: (head >> 2) & 7,
      machine,
      flight: tag === 0 ? undefined : flight(held),
      deadline
    }
  }
  const late = (held: ReadonlyArray<Slot>): Abandoned => {
    const value = flight(held)!
    if (value.command._tag !== "Commit") return { flight: value, deadline: longAgo, aborted: false }
    return { flight: value, deadline: time(), aborted: bytes[at++] === 1 }
  }

  const ghost = (): Ghost => {
    const newest = nonce()
    const newestExpiresAt = newest === nobody ? 0 : time()
    const completed = nonce()
    const guard = nonce()
    const guardUntil = guard === nobody ? 0 : time()
    const started = parameters.atMostOnce && bytes[at++] === 1
    const applied: Array<string> = []
    if (parameters.transaction !== undefined)
      for (let count = bytes[at++]!; count > 0; count--) applied.push(nonce() + nonce())
    return { newest, newestExpiresAt, completed, started, guard, guardUntil, applied }
  }

  return (given, offset) => {
    bytes = given as Uint8Array<ArrayBuffer>
    at = offset
    named = 0
    table.length = 0
    const stored = rows()
    const clocks = bytes[at++]!
    const faults = bytes[at++]!
    const old = faults >> 6
    const before = old > 0 ? rows() : none
    const processes: Array<Process> = []
    for (let index = 0; index < configuration.processes; index++) processes.push(process(stored))
    const abandoned: Array<Abandoned> = []
    for (let count = bytes[at++]!; count > 0; count--) abandoned.push(late(stored))
    const judged = ghost()
    return {
      now: 0,
      rows: stored,
      before,
      processes,
      abandoned,
      faults: { lost: faults & 3, late: (faults >> 2) & 3, crashes: (faults >> 4) & 3, old },
      ghost: judged,
      storeClock: clocks & 15,
      cleanUpClock: clocks >> 4,
      fresh: nonces[named + 1]!
    }
  }
}
