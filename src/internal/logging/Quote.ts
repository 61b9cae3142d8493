/** Texts as JSON in which nothing breaks a line, moves a terminal's cursor or turns its text around. */

/** Beyond what JSON escapes: DEL and C1, ends of lines in Unicode, marks of direction, the byte order mark. */
const loud = /[\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g
const quiet = /^[ !#-[\]-~\u00a0-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\uffff]*$/

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`

/** A text as it stands between the quotes of a JSON string. Lone surrogates come as escapes. */
export const escape = (text: string): string =>
  quiet.test(text) ? text : JSON.stringify(text).replaceAll(loud, escaped).slice(1, -1)

/** A text as a JSON string. */
export const quote = (text: string): string => `"${escape(text)}"`

/** What JSON can say, in such texts; members that are undefined are left out. */
export const jsonText = (value: unknown): string => {
  if (typeof value === "string") return quote(value)
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null"
  if (Array.isArray(value)) return `[${value.map(jsonText).join(",")}]`
  const members = Object.entries(value).flatMap(([key, own]) =>
    own === undefined ? [] : [`${quote(key)}:${jsonText(own)}`]
  )
  return `{${members.join(",")}}`
}
