/**
 * Percentiles of durations in bounded memory, each within 1 % of a value at that rank. Buckets grow by a constant
 * factor, so that the middle of each is at most 1 % from all that it counts.
 *
 * Source: Masson, Rim and Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
 * PVLDB 12 (2019), section 2.1.
 */

/** Of a value: how far a percentile may be from it. */
export const relativeError = 0.01
const gamma = (1 + relativeError) / (1 - relativeError)
const logarithm = Math.log(gamma)
/** Milliseconds: a microsecond, the least that a duration says, and 31 years. */
const [least, greatest] = [0.001, 1e12]
const offset = Math.ceil(Math.log(least) / logarithm)
/** 1,728: with four bytes each, 7 KB. */
const buckets = Math.ceil(Math.log(greatest) / logarithm) - offset + 1

export interface Summary {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
  /** Of all values. */
  readonly sum: number
}

export class Sketch {
  #counts = new Uint32Array(buckets)
  /** Below the least. */
  #zeros = 0
  #count = 0
  #sum = 0
  #min = Infinity
  #max = 0

  /** Milliseconds, not negative; other numbers are left out. */
  add(value: number): void {
    if (!(value >= 0 && value < Infinity)) return
    this.#count++
    this.#sum += value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
    if (value < least) this.#zeros++
    else this.#counts[Math.min(buckets - 1, Math.ceil(Math.log(value) / logarithm) - offset)]!++
  }

  /** The value at rank ⌈fraction × count⌉ in order of size. 0 where there are none. */
  quantile(fraction: number): number {
    if (this.#count === 0) return 0
    const rank = Math.max(1, Math.ceil(fraction * this.#count))
    let seen = this.#zeros
    if (seen >= rank) return 0
    for (let index = 0; index < buckets; index++) {
      seen += this.#counts[index]!
      if (seen < rank) continue
      const middle = (2 * gamma ** (index + offset)) / (gamma + 1)
      return Math.min(this.#max, Math.max(this.#min, middle))
    }
    return this.#max
  }

  get summary(): Summary {
    return {
      count: this.#count,
      p50: this.quantile(0.5),
      p90: this.quantile(0.9),
      p99: this.quantile(0.99),
      max: this.#max,
      sum: this.#sum
    }
  }
}
