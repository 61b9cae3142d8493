/** "Did you mean": the name that takes the fewest single-character edits to reach. */

/** Number of edits between two texts. Source: Wagner and Fischer, "The String-to-String Correction Problem", 1974. */
const distance = (left: string, right: string): number => {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let l = 1; l <= left.length; l++) {
    const row = [l]
    for (let r = 1; r <= right.length; r++) {
      const same = left[l - 1] === right[r - 1] ? 0 : 1
      row.push(Math.min(row[r - 1]! + 1, previous[r]! + 1, previous[r - 1]! + same))
    }
    previous = row
  }
  return previous[right.length]!
}

/** The nearest of `names`, where one is near: contains what was written, or differs in at most a third of it. */
export const nearest = (written: string, names: ReadonlyArray<string>): string | undefined => {
  const small = written.toLowerCase()
  const containing = names.find((name) => small.length > 2 && name.toLowerCase().includes(small))
  if (containing !== undefined) return containing
  const ranked = names
    .map((name) => ({ name, edits: distance(small, name.toLowerCase()) }))
    .toSorted((left, right) => left.edits - right.edits)
  const [best] = ranked
  return best !== undefined && best.edits <= Math.max(2, written.length / 3) ? best.name : undefined
}
