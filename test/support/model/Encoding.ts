/**
 * Worlds as bytes: equal bytes for worlds that no rule can tell apart.
 *
 * Times are relative to now, and cut off where no comparison sees them any more; nonces are renamed in the order in
 * which they are met; processes stand in an order of their own; what the functions will not read again is left out.
 * `EpochLogModel.test.ts` checks that this changes nothing: the moves of a world and of its image are the same.
 */
import type { Chain, Row } from "../../../src/EpochLog.ts"
import { decoding } from "./Decoding.ts"
import { clocksAt, hasDeadline, isEnd, kinds, landings, sents, timesAt, wants, writes } from "./Format.ts"
import { earliest } from "./Store.ts"
import type { Abandoned, Configuration, Flight, Machine, Process, Slot, World } from "./World.ts"
import { nobody } from "./World.ts"

type Acquiring = Extract<Machine, { readonly _tag: "Acquiring" }>
type Owning = Extract<Machine, { readonly _tag: "Owning" }>

export interface Encoding {
  /** Holds the last world that was encoded, as bytes and as words. */
  readonly bytes: Uint8Array
  readonly words: Uint32Array
  /** Answers the length. */
  readonly encode: (world: World) => number
  /** Bytes at the beginning that are of the store alone. */
  readonly storeLength: () => number
  /** Where each process of the encoded world stood in the world that was given. */
  readonly order: Uint8Array
  readonly decode: (bytes: Uint8Array, offset: number) => World
}

/** `symmetric`: processes are put in order. */
export const encoding = (configuration: Configuration, symmetric = true): Encoding => {
  const { parameters } = configuration
  const bytes = new Uint8Array(1024)
  const words = new Uint32Array(bytes.buffer)
  const order = new Uint8Array(configuration.processes)
  const signatures = new Float64Array(configuration.processes)
  const names = new Uint8Array(4096)
  const floor = timesAt(parameters)
  const tellsApart = configuration.renew || configuration.steps
  let length = 0
  let storeLength = 0
  let named = 0
  let now = 0
  const table: Array<Row<string>> = []
  const tableAt = new Uint16Array(64)
  /**
   * Renewals and steps that are being written, and whose leases are long over. Their writer will tell them from its
   * other rows by their leases.
   */
  const looked: Array<Slot> = []

  const nonce = (value: string): void => {
    const code = value.charCodeAt(0)
    if (code !== 0 && names[code] === 0) names[code] = ++named
    bytes[length++] = names[code]!
  }
  const time = (value: number): void => {
    const relative = value - now
    bytes[length++] = (relative < floor ? floor : relative) + clocksAt
  }

  const lease = (row: Slot): void => {
    if (row.leaseExpiresAt >= row.expiresAt) return time(row.leaseExpiresAt)
    let relative = row.leaseExpiresAt - now
    if (relative < floor) {
      relative = floor - 1
      for (const sought of looked)
        if (sought.owner === row.owner && sought.leaseExpiresAt !== row.leaseExpiresAt) relative = floor - 2
    }
    bytes[length++] = relative + clocksAt
  }
  const look = (world: World): void => {
    looked.length = 0
    for (const { machine } of world.processes) {
      const writing = machine._tag === "Owning" ? machine.writing : undefined
      const isSought = writing?.want._tag === "Renewal" || writing?.want._tag === "Step"
      if (isSought && writing.lease - now < floor && writing.lease < writing.row.expiresAt) looked.push(writing.row)
    }
  }

  /** A row, or where it stood before. */
  const row = (value: Slot): void => {
    const known = table.indexOf(value)
    if (known !== -1) {
      bytes[length++] = 0x80 | known
      return
    }
    const at = length
    bytes[length++] = value.slot | (kinds.indexOf(value.kind) << 3)
    nonce(value.generation)
    nonce(value.owner)
    if (isEnd(value.kind)) bytes[length++] = 0
    else lease(value)
    time(value.expiresAt)
    for (let index = 0; index < table.length; index++) {
      const other = tableAt[index]!
      let same = 0
      while (same < 5 && bytes[other + same] === bytes[at + same]) same++
      if (same === 5) {
        length = at
        bytes[length++] = 0x80 | index
        return
      }
    }
    tableAt[table.length] = at
    table.push(value)
  }
  const rows = (values: ReadonlyArray<Slot>): void => {
    bytes[length++] = values.length
    for (const value of values) row(value)
  }
  /** In order of slot. */
  const stored = (values: ReadonlyArray<Slot>): void => {
    bytes[length++] = values.length
    let last = -1
    for (const { slot } of values) last = slot > last ? slot : parameters.lastSlot + 1
    if (last <= parameters.lastSlot) for (const value of values) row(value)
    else
      for (let slot = 0; slot <= parameters.lastSlot; slot++)
        for (const value of values) if (value.slot === slot) row(value)
  }

  const flight = (value: Flight | undefined, held: ReadonlyArray<Slot>): void => {
    if (value === undefined) {
      bytes[length++] = 0
      return
    }
    const { command, landed, seen, targets } = value
    bytes[length++] =
      (writes.indexOf(command._tag) + 1) | ((landed === undefined ? 0 : landings.indexOf(landed) + 1) << 3)
    if ("row" in command) row(command.row)
    else if (command._tag === "DeleteRow" || command._tag === "DeleteGeneration") {
      nonce(command.generation)
      if (command._tag === "DeleteRow") bytes[length++] = command.slot
      else if (landed === undefined) {
        let mask = targets === undefined ? 0 : 0x80
        if (targets !== undefined) for (const target of targets) if (held.includes(target)) mask |= 1 << target.slot
        bytes[length++] = mask
      }
    }
    if (
      command._tag === "List"
        ? landed !== undefined
        : command._tag === "Create" && (command.list || configuration.topAlone)
    ) {
      bytes[length++] = seen === undefined ? 0 : 1
      if (seen !== undefined) rows(seen)
    }
  }

  const before = (chain: Chain<string> | undefined): void => {
    if (configuration.steps) rows(chain?.steps ?? [])
    if (parameters.atMostOnce)
      bytes[length++] = chain === undefined ? 0 : 1 + kinds.indexOf(chain.rows[chain.rows.length - 1]!.kind)
  }
  const acquiring = (machine: Acquiring, clock: number): void => {
    // A claim whose lease is over, and which no answer is awaited of, is not read again.
    const isDead =
      parameters.rules.freshNonce &&
      machine.sent !== "create" &&
      (machine.sent === "reclaim" || now + clock > machine.lease)
    bytes[length++] = sents.indexOf(machine.sent) | (isDead ? 4 : 0) | (!isDead && machine.unanswered ? 8 : 0)
    if (isDead) return
    row(machine.claim)
    before(machine.before)
  }
  const owning = (machine: Owning): void => {
    const { handler, writing } = machine
    const isWaiting = handler === "waiting"
    bytes[length++] =
      (isWaiting ? 0 : handler === "running" ? 1 : 2) |
      (isWaiting && machine.reconcile ? 4 : 0) |
      (writing === undefined ? 0 : (wants.indexOf(writing.want._tag) + 1) << 3)
    row(machine.row)
    if (configuration.steps && handler !== "ended") rows(machine.steps)
    if (writing === undefined) return
    const { want } = writing
    bytes[length++] =
      sents.indexOf(writing.sent) | (writing.invalid ? 8 : 0) | (want._tag === "Renewal" && want.step ? 16 : 0)
    if (want._tag !== "Commit" || (writing.sent !== "list" && writing.sent !== "clear")) row(writing.row)
  }
  const process = (value: Process, held: ReadonlyArray<Slot>): void => {
    const { machine } = value
    const tag = machine._tag === "Acquiring" ? 1 : machine._tag === "Owning" ? 2 : 0
    bytes[length++] = tag | (value.requests << 2) | (value.clock << 5)
    if (machine._tag === "Acquiring") acquiring(machine, value.clock)
    else if (machine._tag === "Owning") {
      owning(machine)
      if (hasDeadline(parameters, machine)) time(value.deadline)
    }
    if (tag !== 0) flight(value.flight, held)
  }

  const signature = ({ clock, flight, machine, requests }: Process): number => {
    let value = clock * 8 + requests
    const landed = flight?.landed === undefined ? 0 : landings.indexOf(flight.landed) + 1
    value = value * 8 + (flight === undefined ? 7 : landed)
    if (machine._tag === "Acquiring") {
      const left = Math.max(machine.lease - now, floor) - floor
      return (
        ((value * 64 + left) * 8 + sents.indexOf(machine.sent)) * 8 +
        machine.claim.slot +
        (machine.unanswered ? 0.5 : 0)
      )
    }
    if (machine._tag === "Owning") {
      const left = Math.max(machine.lease - now, floor) - floor
      const doing = machine.writing === undefined ? 0 : 1 + sents.indexOf(machine.writing.sent)
      const state = machine.handler === "waiting" ? 0 : machine.handler === "running" ? 1 : 2
      return -((((value * 64 + left) * 8 + doing) * 3 + state) * 8 + machine.row.slot + 1)
    }
    return value
  }
  const putInOrder = (processes: ReadonlyArray<Process>): void => {
    for (let index = 0; index < processes.length; index++) {
      let at = index
      if (symmetric) {
        const value = signature(processes[index]!)
        while (at > 0 && signatures[at - 1]! > value) {
          signatures[at] = signatures[at - 1]!
          order[at] = order[at - 1]!
          at--
        }
        signatures[at] = value
      }
      order[at] = index
    }
  }

  const late = ({ aborted, deadline, flight: value }: Abandoned, held: ReadonlyArray<Slot>): void => {
    flight(value, held)
    if (value.command._tag !== "Commit") return
    time(deadline)
    bytes[length++] = aborted ? 1 : 0
  }
  const lateOrder = ({ flight: { command, targets } }: Abandoned): number =>
    writes.indexOf(command._tag) * 64 +
    ("row" in command ? command.row.slot * 4 + kinds.indexOf(command.row.kind) : (targets?.length ?? 9))

  const ghost = (world: World): void => {
    const value = world.ghost
    // A generation that is over, and of which nothing is left, is as none.
    const isKnown = value.newestExpiresAt >= earliest(world) || names[value.newest.charCodeAt(0)] !== 0
    nonce(isKnown ? value.newest : nobody)
    if (isKnown && value.newest !== nobody) time(value.newestExpiresAt)
    nonce(isKnown ? value.completed : nobody)
    const isGuarded = value.guard !== nobody && value.guardUntil >= now
    nonce(isGuarded ? value.guard : nobody)
    if (isGuarded) time(value.guardUntil)
    if (parameters.atMostOnce) bytes[length++] = value.started ? 1 : 0
    if (parameters.transaction === undefined) return
    const at = length++
    let count = 0
    for (const pair of value.applied) {
      // Of a generation that nothing knows any more, nothing can come.
      if (names[pair.charCodeAt(0)] === 0) continue
      count++
      bytes[length++] = names[pair.charCodeAt(0)]!
      bytes[length++] = names[pair.charCodeAt(1)]!
    }
    bytes[at] = count
  }

  const encode = (world: World): number => {
    const { abandoned, faults, processes } = world
    names.fill(0, 0, 1 + world.fresh.charCodeAt(0))
    table.length = 0
    length = 0
    named = 0
    now = world.now
    if (tellsApart) look(world)
    stored(world.rows)
    storeLength = length
    bytes[length++] = world.storeClock | (world.cleanUpClock << 4)
    bytes[length++] = faults.lost | (faults.late << 2) | (faults.crashes << 4) | (faults.old << 6)
    if (faults.old > 0) stored(world.before)
    putInOrder(processes)
    for (const index of order) process(processes[index]!, world.rows)
    // A commit whose transaction has expired is refused whenever it lands.
    const able = abandoned.filter(
      ({ deadline, flight: { command } }) => command._tag !== "Commit" || deadline >= now + world.storeClock
    )
    if (able.length > 1) able.sort((one, other) => lateOrder(one) - lateOrder(other))
    bytes[length++] = able.length
    for (const value of able) late(value, world.rows)
    ghost(world)
    for (let end = length; (end & 3) !== 0; end++) bytes[end] = 0
    return length
  }

  return {
    bytes,
    words,
    order,
    encode,
    storeLength: () => storeLength,
    decode: decoding(configuration)
  }
}
