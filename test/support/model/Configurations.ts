/** The features of the protocol, together in twos and threes, small enough to be explored whole. */
import type { Parameters } from "../../../src/EpochLog.ts"
import { rules } from "../../../src/EpochLog.ts"
import type { Clocks, Configuration, Faults } from "./World.ts"

/**
 * Moments, not milliseconds. The margin is what the clocks differ by and no more, the clean-up comes as early as it may,
 * and the ttl is the least there is: more of each would hide what is too short.
 */
const parameters: Parameters = {
  lease: 2,
  margin: 0,
  useful: 1,
  ttl: 4,
  purgeDelay: 0,
  storeCall: 0,
  lastSlot: 3,
  atMostOnce: false,
  reconcile: false,
  transaction: undefined,
  rules
}
/** A transaction may live as long as its generation lets it. */
export const transaction = { least: 1, most: 9, reserve: 0 }

const none: Faults = { lost: 0, late: 0, crashes: 0, old: 0 }
const together: Clocks = { processes: [0, 0, 0], store: 0, cleanUp: 0 }

interface Options extends Partial<Omit<Configuration, "name" | "faults" | "parameters">> {
  readonly faults?: Partial<Faults>
  readonly parameters?: Partial<Parameters>
}
export const configuration = (name: string, options: Options = {}): Configuration => ({
  processes: 2,
  requests: [1],
  outcomes: ["Store"],
  renew: false,
  steps: false,
  cleanUp: false,
  parallelList: false,
  topAlone: false,
  late: "writes",
  conflicts: false,
  clocks: [together],
  only: undefined,
  ...options,
  name,
  faults: { ...none, ...options.faults },
  parameters: { ...parameters, ...options.parameters }
})

/** Clocks that differ by the margin. */
const apart = (...clocks: ReadonlyArray<Partial<Clocks>>): Partial<Configuration> => ({
  clocks: clocks.map((some) => ({ ...together, ...some }))
})
const margin = { margin: 1, ttl: 5 }

/** What `npm test` explores: two processes, every feature in one configuration at least. */
export const small: ReadonlyArray<Configuration> = [
  configuration("crashes, two requests each", { requests: [2], faults: { crashes: 1 } }),
  configuration("renewals, release, lost answer", {
    outcomes: ["Store", "Release"],
    renew: true,
    faults: { lost: 1 }
  }),
  configuration("steps, lost answer", { steps: true, faults: { lost: 1 } }),
  configuration("late landings, release", { outcomes: ["Store", "Release"], faults: { late: 1 } }),
  configuration("late landings, renewals", {
    late: "owners",
    renew: true,
    faults: { late: 1 },
    parameters: { lastSlot: 2 }
  }),
  configuration("clean-up, two requests of one", { requests: [2, 1], cleanUp: true }),
  configuration("clean-up, lost answer", { cleanUp: true, faults: { lost: 1 }, parameters: { storeCall: 1 } }),
  configuration("transactional, late commits", {
    late: "commits",
    requests: [2, 1],
    conflicts: true,
    faults: { late: 1 },
    parameters: { transaction }
  }),
  configuration("transactional, release, lost answer", {
    outcomes: ["Store", "Release"],
    conflicts: true,
    faults: { lost: 1 },
    parameters: { transaction }
  }),
  configuration("old lists, release, lost answer", { outcomes: ["Store", "Release"], faults: { old: 1, lost: 1 } }),
  configuration("parallel list", { parallelList: true, requests: [2, 1] }),
  configuration("at most once", {
    outcomes: ["Store", "Release"],
    cleanUp: true,
    faults: { crashes: 1, lost: 1 },
    parameters: { atMostOnce: true }
  }),
  configuration("at most once, reconciled", {
    outcomes: ["Store", "Release", "Keep"],
    late: "owners",
    faults: { crashes: 1, late: 1 },
    parameters: { atMostOnce: true, reconcile: true }
  }),
  configuration("top alone, at most once, reconciled, lost answer, clean-up", {
    topAlone: true,
    outcomes: ["Store", "Release"],
    cleanUp: true,
    faults: { crashes: 1, lost: 1 },
    parameters: { atMostOnce: true, reconcile: true }
  }),
  configuration("top alone, renewals, late landings", {
    topAlone: true,
    late: "owners",
    renew: true,
    faults: { late: 1 },
    parameters: { lastSlot: 2 }
  }),
  configuration("clocks apart, lost answer", {
    faults: { lost: 1 },
    ...apart({ processes: [0, 1] }),
    parameters: margin
  }),
  configuration("clocks apart, clean-up", {
    cleanUp: true,
    ...apart({ processes: [0, 1] }, { processes: [0, 0], cleanUp: 1 }, { processes: [0, 1], cleanUp: 1 }),
    parameters: margin
  }),
  configuration("clocks apart, transactional, late commits", {
    late: "commits",
    faults: { late: 1 },
    ...apart(
      { processes: [0, 1] },
      { processes: [0, 1], store: 1 },
      { processes: [0, 0], store: 1 },
      { processes: [1, 1], store: 0 }
    ),
    parameters: { ...margin, transaction }
  })
]

/** What `npm run model` explores: features together, then three processes with one feature each. */
export const large: ReadonlyArray<Configuration> = [
  configuration("clocks apart, renewals, clean-up", {
    renew: true,
    cleanUp: true,
    ...apart({ processes: [0, 1] }, { processes: [0, 0], cleanUp: 1 }, { processes: [0, 1], cleanUp: 1 }),
    parameters: margin
  }),
  configuration("transactional, late landings, release, clean-up, lost answer", {
    outcomes: ["Store", "Release"],
    cleanUp: true,
    conflicts: true,
    faults: { late: 1, lost: 1 },
    parameters: { transaction }
  }),
  configuration("clocks apart, transactional, late landings, two requests of one", {
    requests: [2, 1],
    faults: { late: 1 },
    ...apart(
      { processes: [0, 1] },
      { processes: [0, 1], store: 1 },
      { processes: [0, 0], store: 1 },
      { processes: [1, 1], store: 0 }
    ),
    parameters: { ...margin, transaction }
  }),
  configuration("renewals, steps, late landings, lost answer", {
    renew: true,
    steps: true,
    faults: { late: 1, lost: 1 }
  }),
  configuration("renewals, two late landings, release", {
    outcomes: ["Store", "Release"],
    renew: true,
    faults: { late: 2 }
  }),
  configuration("crashes, clean-up, lost answer, two requests each", {
    requests: [2],
    cleanUp: true,
    faults: { crashes: 1, lost: 1 }
  }),
  configuration("two old lists, parallel list, two lost answers, clean-up", {
    parallelList: true,
    cleanUp: true,
    faults: { old: 2, lost: 2 }
  }),
  configuration("at most once, crash, late landing, clean-up, lost answer", {
    outcomes: ["Store", "Release"],
    cleanUp: true,
    faults: { crashes: 1, lost: 1, late: 1 },
    parameters: { atMostOnce: true }
  }),
  configuration("at most once, reconciled, steps, late landings, clean-up", {
    outcomes: ["Store", "Release", "Keep"],
    steps: true,
    cleanUp: true,
    faults: { late: 1 },
    parameters: { atMostOnce: true, reconcile: true }
  }),
  configuration("top alone, steps, late landings, release, lost answer", {
    topAlone: true,
    outcomes: ["Store", "Release"],
    steps: true,
    cleanUp: true,
    faults: { late: 1, lost: 1 }
  }),
  configuration("three", { processes: 3 }),
  configuration("three, release", { processes: 3, outcomes: ["Store", "Release"] }),
  configuration("three, crash", { processes: 3, faults: { crashes: 1 } }),
  configuration("three, renewals", { processes: 3, renew: true }),
  configuration("three, steps", { processes: 3, steps: true }),
  configuration("three, lost answer", { processes: 3, faults: { lost: 1 } }),
  configuration("three, late landing", { processes: 3, faults: { late: 1 } }),
  configuration("three, old list", { processes: 3, faults: { old: 1 } }),
  configuration("three, parallel list", { processes: 3, parallelList: true }),
  configuration("three, at most once", { processes: 3, parameters: { atMostOnce: true } }),
  configuration("three, transactional", { processes: 3, parameters: { transaction } }),
  configuration("three, clean-up", { processes: 3, cleanUp: true }),
  configuration("three, clocks apart", {
    processes: 3,
    ...apart({ processes: [0, 0, 1] }, { processes: [0, 1, 1] }),
    parameters: margin
  })
]

export const named = (name: string): Configuration => {
  const found = [...small, ...large].find((configuration) => configuration.name === name)
  if (found === undefined) throw new Error(`no configuration is named ${name}`)
  return found
}
