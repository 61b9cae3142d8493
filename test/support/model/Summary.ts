/** What came of an exploration, in a line. */
import type { Explored } from "./Explore.ts"

const ending = ({ exhausted, found }: Explored): string =>
  found === undefined
    ? exhausted
      ? "exhausted"
      : "cut"
    : `${found.violation.invariant} violated after ${found.choices.length} moves`

export const summary = (name: string, explored: Explored): string => {
  const { answers, calls, depth, seconds, states, stores, transitions } = explored
  return (
    `${name}: ${states} states, ${transitions} transitions, depth ${depth}, ${seconds.toFixed(1)} s, ${ending(explored)}; ` +
    `${stores} stores, a caller alone needs ${answers} answers and ${calls} calls at most`
  )
}
