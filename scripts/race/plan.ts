/** What happens in each round, drawn from the seed. */
import { random } from "../_emulator.ts"
import { type Point, points } from "./ledger.ts"

export type Store = "sqlite" | "redis" | "appwrite"

/** Milliseconds, as all durations here. Clocks differ by up to the margin, the store's included. */
export const times = { lease: 1000, margin: 200 } as const

/** `brief`: its key expires within the round, and begins anew. */
export type Kind = "run" | "brief" | "transactional"

/** One key, asked for by every process. */
export interface Round {
  readonly id: number
  readonly kind: Kind
  readonly ttl: number
  /** The first owner that comes to this point stops for so long. */
  readonly stop: { readonly point: Point; readonly milliseconds: number }
  /** By process, when it asks first: the one that the seed chose at once, the others later. */
  readonly delays: ReadonlyArray<number>
  /** How long handlers take. */
  readonly handler: number
  /** Handlers of this process fail once, so that the key is given back. */
  readonly failing: number | undefined
}

export interface Drawing {
  readonly store: Store
  readonly processes: number
  readonly rounds: number
  readonly seed: number
}

/** As many of each as there are, in an order of chance. */
const shuffled = <A>(draw: () => number, list: ReadonlyArray<A>): ReadonlyArray<A> => {
  const left = [...list]
  return list.map(() => left.splice(Math.floor(draw() * left.length), 1)[0]!)
}
const spread = <A>(draw: () => number, count: number, list: ReadonlyArray<A>): ReadonlyArray<A> =>
  shuffled(
    draw,
    Array.from({ length: count }, (_, index) => list[index % list.length]!)
  )

const allPoints: ReadonlyArray<Point> = [...points.before, ...points.in, "running", "completion sent", ...points.after]
const kinds: Record<Store, ReadonlyArray<Kind>> = {
  sqlite: ["run", "transactional", "run", "transactional", "brief", "run"],
  appwrite: ["run", "transactional", "run", "transactional", "brief", "run"],
  redis: ["run", "run", "run", "run", "brief", "run"]
}

export const draw = ({ processes, rounds, seed, store }: Drawing): ReadonlyArray<Round> => {
  const chance = random(seed)
  const between = (least: number, most: number) => least + chance() * (most - least)
  const stops = spread(chance, rounds, allPoints)
  const owners = spread(
    chance,
    rounds,
    Array.from({ length: processes }, (_, index) => index)
  )
  const kindOf = spread(chance, rounds, kinds[store])
  const lengths = shuffled(
    chance,
    Array.from({ length: rounds }, (_, index) => (0.5 + (2.5 * (index + 0.5)) / rounds) * times.lease)
  )
  return stops.map((point, id) => {
    const kind = kindOf[id]!
    const owner = owners[id]!
    const isRenewed = point === "renewal sent" || point === "renewed"
    return {
      id,
      kind,
      ttl: kind === "brief" ? 2 * times.lease + times.margin + Math.floor(between(0, 600)) : 600_000,
      stop: { point, milliseconds: lengths[id]! },
      delays: Array.from({ length: processes }, (_, index) =>
        index === owner ? 0 : between(50, (index % 2 === 0 ? 1 : 3) * times.lease)
      ),
      handler: isRenewed ? between(800, 1300) : chance() < 0.2 ? between(500, 1400) : between(10, 200),
      failing: chance() < 0.15 ? Math.floor(between(0, processes)) : undefined
    }
  })
}
