/**
 * Names with brackets, as PHP reads them from queries and forms: `queries[0]=a`, `queries[]=a`, `a[b][c]=d`.
 *
 * A member whose keys are all numbers becomes a list, in the order of writing.
 */

export type Fields = { readonly [name: string]: unknown }

interface Tree {
  readonly members: Map<string, Tree | string>
  next: number
}
const tree = (): Tree => ({ members: new Map(), next: 0 })

const put = (root: Tree, name: string, value: string): void => {
  const open = name.indexOf("[")
  const path = open > 0 && name.endsWith("]") ? [name.slice(0, open), ...name.slice(open + 1, -1).split("][")] : [name]
  let place = root
  for (const [depth, key] of path.entries()) {
    const step = key === "" && depth > 0 ? String(place.next) : key
    if (/^\d+$/.test(step)) place.next = Math.max(place.next, Number(step) + 1)
    if (depth === path.length - 1) {
      place.members.set(step, value)
      return
    }
    const known = place.members.get(step)
    const below = known === undefined || typeof known === "string" ? tree() : known
    place.members.set(step, below)
    place = below
  }
}

const value = (node: Tree | string): unknown => {
  if (typeof node === "string") return node
  const keys = [...node.members.keys()]
  return keys.every((key) => /^\d+$/.test(key)) ? [...node.members.values()].map(value) : members(node)
}
const members = (node: Tree): Fields =>
  Object.fromEntries([...node.members].map(([key, member]) => [key, value(member)]))

export const fromPairs = (pairs: Iterable<readonly [name: string, value: string]>): Fields => {
  const root = tree()
  for (const [name, text] of pairs) put(root, name, text)
  return members(root)
}

const empty: Fields = {}

/** `a=1&b[]=2`, percent-encoded. */
export const fromQuery = (text: string): Fields => (text === "" ? empty : fromPairs(new URLSearchParams(text)))
