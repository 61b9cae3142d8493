/**
 * What the model of the epoch log explores: one key of a store, and processes that run `EpochLog.step` on it.
 *
 * Modelled: each command to the store is sent, landed and answered, three events with anything in between; answers
 * that get lost; requests that get lost; commands that land after their sender gave up; crashes; handlers that end as
 * they like; deletions and the clean-up row by row, in any order, stopping anywhere; time that passes at any moment
 * and without end; clocks that differ; lists that are old, or taken beside a creation; a store that shows the top alone.
 *
 * Not modelled: fingerprints (all requests are equal), several keys, overflow parts, a store that forgets what it
 * acknowledged, an own clock that differs from the wall clock of its process, torn lists (a list is one snapshot).
 */
import type { Command, Event, Moment, Outcome, Parameters, Row, State } from "../../../src/EpochLog.ts"

/** What a handler made: the nonce of the attempt, so that no two results are equal. */
export type Content = string
export type Slot = Row<Content>
export type Machine = State<Content>

/** A command for the store. */
export type Sent = Extract<
  Command<Content>,
  { readonly _tag: "Create" | "List" | "DeleteGeneration" | "DeleteRow" | "Commit" }
>

/** An event, but for its moment. */
export type Body = Event<Content> extends infer E ? (E extends unknown ? Omit<E, keyof Moment> : never) : never

/** What the answer will say, once the command has landed. */
export type Landed = "created" | "taken" | "listed" | "deleted" | "committed" | "failed"

export interface Flight {
  readonly command: Sent
  readonly landed: Landed | undefined
  /** The rows that a list, or the list beside a creation, has seen; undefined where it has not landed. */
  readonly seen: ReadonlyArray<Slot> | undefined
  /** The rows that a deletion under way has yet to take; undefined before it begins. */
  readonly targets: ReadonlyArray<Slot> | undefined
}

/** A command whose sender no longer waits for it: it lands at any later time, or never. */
export interface Abandoned {
  readonly flight: Flight
  /** Of the transaction, for a commit. */
  readonly deadline: number
  /** Its sender told that it failed. */
  readonly aborted: boolean
}

export interface Process {
  /** Its clock minus the true time. */
  readonly clock: number
  /** Requests that it may still make. */
  readonly requests: number
  readonly machine: Machine
  readonly flight: Flight | undefined
  /** The end of its transaction, by the store's clock. */
  readonly deadline: number
}

/** What may still go wrong in this run. */
export interface Faults {
  /** Answers or requests that get lost, and conflicts with one's own row. */
  readonly lost: number
  /** Commands that land late. */
  readonly late: number
  readonly crashes: number
  /** Lists that answer with the store as it was one write ago. */
  readonly old: number
}

/** What nobody in the world knows, to judge it by. */
export interface Ghost {
  /** The generation that began last. */
  readonly newest: string
  readonly newestExpiresAt: number
  /** Of that generation: the owner whose completion was accepted. */
  readonly completed: string
  /** A handler of that generation was started, and its claim not released. */
  readonly started: boolean
  /** Until when, in true time, no other handler may start: the lease of the one that did, while not released. */
  readonly guard: string
  readonly guardUntil: number
  /** Business writes that were applied: pairs of generation and owner. */
  readonly applied: ReadonlyArray<string>
}

export interface World {
  /** True time. Canonical worlds have 0: all else is relative to it. */
  readonly now: number
  readonly rows: ReadonlyArray<Slot>
  /** The rows before the last write, while old lists are possible. */
  readonly before: ReadonlyArray<Slot>
  readonly processes: ReadonlyArray<Process>
  readonly abandoned: ReadonlyArray<Abandoned>
  readonly faults: Faults
  readonly ghost: Ghost
  /** Clocks of the store and of the clean-up, minus the true time. */
  readonly storeClock: number
  readonly cleanUpClock: number
  /** A nonce that nobody has used. */
  readonly fresh: string
}

/** Clocks minus the true time. */
export interface Clocks {
  readonly processes: ReadonlyArray<number>
  readonly store: number
  readonly cleanUp: number
}

export interface Configuration {
  readonly name: string
  readonly processes: number
  /** Of each process; the last number is for all further ones. */
  readonly requests: ReadonlyArray<number>
  readonly faults: Faults
  readonly outcomes: ReadonlyArray<Outcome<Content>["_tag"]>
  readonly renew: boolean
  readonly steps: boolean
  readonly cleanUp: boolean
  /** Creations of slot 0 have a list beside them. */
  readonly parallelList: boolean
  /**
   * The store keeps a key as one value, its top with the steps: so Redis. It refuses a row that does not follow the
   * top, shows the top in place of the chain, also where it refuses, and deletes a key in one go.
   */
  readonly topAlone: boolean
  /** What may land late: all writes, those of owners, commits alone. */
  readonly late: "writes" | "owners" | "commits"
  /** A commit may fail for reasons of its own. */
  readonly conflicts: boolean
  /** The worlds to begin with. */
  readonly clocks: ReadonlyArray<Clocks>
  readonly parameters: Parameters
  /** The invariant that is looked at; undefined: all. */
  readonly only: Invariant | undefined
}

export type Invariant = "I1" | "I2" | "I3" | "I4" | "I5" | "I6" | "I7" | "I8" | "L1" | "L2" | "L3"

/** Thrown by nobody: the first one found ends the search. */
export interface Violation {
  readonly invariant: Invariant
  readonly what: string
}

/** What is explored, and where what is found is put. */
export interface Model {
  readonly configuration: Configuration
  readonly parameters: Parameters
  violation: Violation | undefined
  /** Tags of commands, replies and results that came up: a model that never gets there shows nothing. */
  readonly reached: Set<string>
}

export const modelOf = (configuration: Configuration): Model => ({
  configuration,
  parameters: configuration.parameters,
  violation: undefined,
  reached: new Set()
})

export const violate = (model: Model, invariant: Invariant, what: string): void => {
  const { only } = model.configuration
  if (only === undefined || only === invariant) model.violation ??= { invariant, what }
}

/** The nonces: single characters, so that they are quick to rename. */
export const nonces: ReadonlyArray<string> = Array.from({ length: 4096 }, (_, code) => String.fromCodePoint(code))
export const afterNonce = (nonce: string): string => nonces[nonce.charCodeAt(0) + 1]!

/** Where there is none. */
export const nobody = nonces[0]!

const idle: Machine = { _tag: "Idle" }
const nothing: Ghost = {
  newest: nobody,
  newestExpiresAt: 0,
  completed: nobody,
  started: false,
  guard: nobody,
  guardUntil: 0,
  applied: []
}

export const beginnings = (configuration: Configuration): ReadonlyArray<World> =>
  configuration.clocks.map((clocks) => ({
    now: 0,
    rows: [],
    before: [],
    processes: Array.from({ length: configuration.processes }, (_, index) => ({
      clock: clocks.processes[index] ?? 0,
      requests: configuration.requests[index] ?? configuration.requests.at(-1)!,
      machine: idle,
      flight: undefined,
      deadline: 0
    })),
    abandoned: [],
    faults: configuration.faults,
    ghost: nothing,
    storeClock: clocks.store,
    cleanUpClock: clocks.cleanUp,
    fresh: nonces[1]!
  }))
