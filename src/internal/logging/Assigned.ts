/** Whether what stands behind the name of a secret is one, or a word of a program or of prose. */

/** What is written where a value is described, and not given. */
const words = new Set(
  "true false null undefined string number boolean any unknown required optional none yes no redacted hidden".split(" ")
)

/** A name, a sign, and what is behind it: quoted, or up to the next space. */
export const isAssigned = (match: string): boolean => {
  const sign = /(\\?["']?)[ \t]*([=:])[ \t]*/.exec(match)
  if (sign === null) return false
  const given = match.slice(sign.index + sign[0].length)
  const isQuoted = /^\\?["']/.test(given)
  const value = given.replace(/^\\?["']/, "").replace(/\\?["'][,;)}\]]*$/, "")
  const bare = value.replace(/[,;.)}\]]+$/, "")
  if (bare === "" || /^(?:\[redacted|\$\{|\$[A-Z_]+$|%[A-Z_]+%|<|\{\{|process\.|env\.|\()/i.test(value)) return false
  if (words.has(bare.toLowerCase())) return false
  // As in JSON, or a parameter without spaces: whatever it is.
  if (isQuoted && (sign[1] !== "" || value.length >= 4)) return true
  if (sign[2] === "=" && !/[ \t]/.test(sign[0])) return true
  // With a colon or spaces it is prose more often than not.
  return /\d/.test(bare) && bare.length >= 4
}
