/** A set of 64-bit hashes of bytes, in typed arrays: two equal hashes of different worlds are taken for one world. */

export interface Visited {
  /** Adds the hash of the first `length` bytes, padded with zeros to words; false where it was there. */
  readonly add: (words: Uint32Array, length: number) => boolean
  readonly size: () => number
}

export const visited = (): Visited => {
  let mask = (1 << 14) - 1
  let high = new Uint32Array(mask + 1)
  let low = new Uint32Array(mask + 1)
  let size = 0

  const slotOf = (one: number, two: number): number => {
    let slot = (one ^ Math.imul(two, 0x9e3779b1)) & mask
    while ((high[slot] !== one || low[slot] !== two) && (high[slot] !== 0 || low[slot] !== 0)) slot = (slot + 1) & mask
    return slot
  }
  const grow = (): void => {
    const before = [high, low] as const
    mask = mask * 2 + 1
    high = new Uint32Array(mask + 1)
    low = new Uint32Array(mask + 1)
    for (let index = 0; index < before[0].length; index++) {
      const one = before[0][index]!
      const two = before[1][index]!
      if (one === 0 && two === 0) continue
      const slot = slotOf(one, two)
      high[slot] = one
      low[slot] = two
    }
  }

  return {
    size: () => size,
    add: (words, length) => {
      let one = length ^ 0x811c9dc5
      let two = length ^ 0x3c6ef372
      const count = (length + 3) >> 2
      for (let index = 0; index < count; index++) {
        const word = words[index]!
        one = Math.imul(one ^ word, 0x85ebca6b)
        one ^= one >>> 15
        two = Math.imul(two + word, 0xc2b2ae35)
        two ^= (two >>> 13) ^ (one << 7)
      }
      one = Math.imul(one ^ (one >>> 16), 0x7feb352d)
      one ^= one >>> 15
      two = Math.imul(two ^ (two >>> 16), 0x846ca68b)
      two ^= two >>> 13
      one >>>= 0
      two >>>= 0
      // Zeros stand for an empty place.
      if (one === 0 && two === 0) two = 1
      const slot = slotOf(one, two)
      if (high[slot] === one && low[slot] === two) return false
      high[slot] = one
      low[slot] = two
      size++
      if (size * 5 > mask * 3) grow()
      return true
    }
  }
}
