/** Times as text, ISO 8601: lines of the same second have all but their milliseconds in common. */

let second = Number.NaN
let beginning = ""
const endings = Array.from({ length: 1000 }, (_, milliseconds) => `${String(milliseconds).padStart(3, "0")}Z`)

/** Whole milliseconds since 1970, as `Date.toISOString` writes them. */
export const iso = (milliseconds: number): string => {
  const own = Math.floor(milliseconds / 1000)
  if (own !== second) {
    beginning = new Date(own * 1000).toISOString().slice(0, -4)
    second = own
  }
  return beginning + (endings[milliseconds - own * 1000] ?? new Date(milliseconds).toISOString().slice(-4))
}
