/** Requests of several contestants, in slices, in an order that chance mixes anew in each round. */

export const kinds = ["first", "replay", "conflict"] as const
export type Kind = (typeof kinds)[number]

export interface Contestant {
  readonly name: string
  /** Milliseconds of each request; `inFlight` at a time. Keys are new to a first, known to a replay. */
  readonly run: (kind: Kind, keys: ReadonlyArray<string>, inFlight: number) => Promise<ReadonlyArray<number>>
}

/** Out of one request at a time. What refuses a conflict throws. */
export const byPromise = (
  name: string,
  { call, claimed }: { readonly call: (key: string) => Promise<unknown>; readonly claimed: string }
): Contestant => ({
  name,
  run: async (kind, keys, inFlight) => {
    const taken: Array<number> = []
    let next = 0
    const worker = async () => {
      while (next < keys.length) {
        const key = kind === "conflict" ? claimed : keys[next]!
        next++
        const begun = performance.now()
        if (kind === "conflict") await refused(call(key))
        else await call(key)
        taken.push(performance.now() - begun)
      }
    }
    await (inFlight === 1 ? worker() : Promise.all(Array.from({ length: inFlight }, worker)))
    return taken
  }
})

const refused = async (call: Promise<unknown>): Promise<void> => {
  try {
    await call
  } catch {
    return
  }
  throw new Error("a request was answered whose key another has")
}

export const median = (values: ReadonlyArray<number>): number => quantile(values, 0.5)
export const quantile = (values: ReadonlyArray<number>, share: number): number => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

/** Of one contestant, kind and number in flight. */
export interface Figures {
  /** Of each round, in µs: one at a time the median of its requests, else the time of the round by its requests. */
  readonly rounds: Array<number>
  /** Of all requests, in µs. */
  readonly all: Array<number>
}

export type Table = ReadonlyMap<string, Figures>
export const cell = (name: string, kind: Kind, inFlight: number): string => `${name}|${kind}|${inFlight}`

export interface Measuring {
  readonly rounds: number
  /** How often each contestant has its turn in a round, and requests in a turn. */
  readonly turns: number
  readonly requests: number
  readonly inFlight: ReadonlyArray<number>
}

const shuffled = <A>(values: ReadonlyArray<A>): ReadonlyArray<A> =>
  values
    .map((value) => ({ value, at: Math.random() }))
    .toSorted((left, right) => left.at - right.at)
    .map(({ value }) => value)

let names = 0

/** Two rounds more come first, and do not count. */
export const measure = async (
  contestants: ReadonlyArray<Contestant>,
  { inFlight, requests, rounds, turns }: Measuring
): Promise<Table> => {
  const table = new Map<string, Figures>()
  for (let round = -2; round < rounds; round++) {
    const found = new Map<string, { readonly each: Array<number>; spent: number }>()
    const slices = Array.from({ length: turns }, () =>
      inFlight.flatMap((many) => contestants.map((who) => ({ who, many })))
    )
    for (const { many, who } of shuffled(slices.flat())) {
      const slice = names++
      const keys = Array.from({ length: requests }, (_, index) => `order-${slice}-${index}`)
      for (const kind of kinds) {
        const begun = performance.now()
        const each = await who.run(kind, keys, many)
        const spent = performance.now() - begun
        const name = cell(who.name, kind, many)
        const known = found.get(name) ?? { each: [], spent: 0 }
        known.each.push(...each)
        known.spent += spent
        found.set(name, known)
      }
    }
    if (round < 0) continue
    for (const [name, { each, spent }] of found) {
      const figures = table.get(name) ?? { rounds: [], all: [] }
      figures.rounds.push(1000 * (name.endsWith("|1") ? median(each) : spent / each.length))
      for (const one of each) figures.all.push(1000 * one)
      table.set(name, figures)
    }
  }
  return table
}

/** The median over the rounds of a contestant's figure by another's in the same round. */
export const ratio = (table: Table, own: string, other: string): number => {
  const floor = table.get(other)!.rounds
  return median(table.get(own)!.rounds.map((figure, round) => figure / floor[round]!))
}
