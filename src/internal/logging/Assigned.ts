/** Whether what stands behind the name of a secret is one, or a word of a program or of prose. */

/** What is written where a value is described, and not given. */
const words = new Set(
  "true false null undefined nil none no yes on off string number boolean any unknown required optional missing absent invalid empty redacted hidden bytes".split(
    " "
  )
)

/** Places for a value: `${token}`, `$TOKEN`, `<token>`, `?`, `$1`, `%s`, `:token`; what we put there ourselves. */
const placeholder =
  /^(?:\[redacted:[\w-]+\].*|\$\{[^}]*\}|\$[A-Z_]+|\$\d+|%[A-Z_]+%|%s|\?|:\w+|@\w+|<[^>]*>|\{\{.*\}\}|(?:process|import\.meta)\.env\.\w+)$/
/** Names of algorithms and signals, and the folder that `pwd` is. */
const noSecret = /^(?:[RHEP]S(?:256|384|512)|SIG[A-Z]+|EdDSA)$/

/** A name, a sign, and what is behind it: quoted, or up to where it ends. */
export const isAssigned = (match: string): boolean => {
  const sign = /(\\?["']?)[ \t]*([=:])[ \t]*/.exec(match)
  if (sign === null) return false
  const name = match.slice(0, sign.index)
  const given = match.slice(sign.index + sign[0].length)
  const isQuoted = /^(?:\\?["']|\[)/.test(given)
  const value = given.replace(/^(?:\\?["']|\[)[ \t]*/, "").replace(/[ \t]*(?:\\?["']|\])[,;)}\]]*$/, "")
  const bare = value.replace(/[,;.)}\]]+$/, "")
  if (bare === "" || placeholder.test(value) || noSecret.test(bare) || words.has(bare.toLowerCase())) return false
  // How many, and no token at all.
  if (/tokens$/i.test(name) && /^[\d.]+$/.test(bare)) return false
  if (/^pass$/i.test(name) && /^\d{1,4}$/.test(bare)) return false
  if (/^pwd$/i.test(name) && bare.startsWith("/")) return false
  // As in JSON, or a parameter without spaces: whatever it is.
  if (isQuoted && (sign[1] !== "" || value.length >= 4)) return true
  if (sign[1] !== "" || (sign[2] === "=" && !/[ \t]/.test(sign[0]))) return true
  // A header has its value to the end of the line.
  if (/(?:authorization|cookie|^x-[\w-]+)$/i.test(name))
    return !words.has(/^\w*/.exec(bare)![0].toLowerCase()) || /[=\d]/.test(bare)
  // With a colon or spaces it is prose more often than not.
  return /\d/.test(bare) && bare.length >= 4
}
