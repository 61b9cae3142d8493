/** Rounds of several subjects, taken in turn, so that a machine that grows slower hits all of them. */

export interface Subject {
  readonly name: string
  /** Does its work once, and answers how many units it did. */
  readonly run: () => Promise<number> | number
}

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((left, right) => left - right)
  return sorted[Math.floor(sorted.length / 2)]!
}

/** Units a second of each subject: the median of `rounds`, after one that does not count. */
export const interleaved = async (
  subjects: ReadonlyArray<Subject>,
  rounds: number
): Promise<ReadonlyMap<string, ReadonlyArray<number>>> => {
  const rates = new Map<string, Array<number>>(subjects.map(({ name }) => [name, []]))
  for (let round = 0; round <= rounds; round++) {
    const shift = round % subjects.length
    for (const { name, run } of [...subjects.slice(shift), ...subjects.slice(0, shift)]) {
      const start = performance.now()
      const units = await run()
      if (round > 0) rates.get(name)!.push((units * 1000) / (performance.now() - start))
    }
  }
  return rates
}

/** The median over rounds of one subject's rate in a share of the other's in the same round. */
export const ratio = (
  rates: ReadonlyMap<string, ReadonlyArray<number>>,
  name: string,
  floor: string
): { readonly rate: number; readonly floorRate: number; readonly ratio: number } => {
  const [own, other] = [rates.get(name)!, rates.get(floor)!]
  return {
    rate: median(own),
    floorRate: median(other),
    ratio: median(own.map((rate, round) => rate / other[round]!))
  }
}
