/** Texts of a log on a terminal: as wide as there is room, and without power over it. */
import * as CliOutput from "effect/cli/CliOutput"

/** Control characters, ends of lines in Unicode, marks of direction, what has no width, lone surrogates. */
const loud = /[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu
const words: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" }

/** What would move a cursor, colour a terminal or turn text around comes as an escape that is read as such. */
export const visible = (text: string): string =>
  text.replaceAll(
    loud,
    (character) => words[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`
  )

/** Lines stay. */
export const visibleLines = (text: string): string => text.split("\n").map(visible).join("\n")

export const widthOf = CliOutput.displayWidth

const segmenter = new Intl.Segmenter()
const ascii = /^[ -~]*$/

/** As much of it as goes into this many columns. */
const head = (text: string, width: number): string => {
  if (ascii.test(text)) return text.slice(0, Math.max(0, width))
  let fitted = ""
  let used = 0
  for (const { segment } of segmenter.segment(text)) {
    used += widthOf(segment)
    if (used > width) break
    fitted += segment
  }
  return fitted
}

/** In so many columns, with `…` where something is missing. */
export const fit = (text: string, width: number): string => {
  if ((ascii.test(text) ? text.length : widthOf(text)) <= width) return text
  return width < 1 ? "" : `${head(text, width - 1)}…`
}

export const padEnd = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)))
export const padStart = (text: string, width: number): string => " ".repeat(Math.max(0, width - widthOf(text))) + text

/** In lines of this width at most, cut between words where that is possible; `most` lines. */
export const wrap = (text: string, width: number, most: number): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let rest = text
  while (rest !== "" && lines.length < most) {
    if (lines.length === most - 1 || widthOf(rest) <= width) {
      lines.push(fit(rest, width))
      break
    }
    const piece = head(rest, width)
    const space = rest[piece.length] === " " ? piece.length : piece.lastIndexOf(" ")
    const line = space > width / 2 ? piece.slice(0, space) : piece
    // A character may be wider than all the room.
    if (line === "") break
    lines.push(line)
    rest = rest.slice(line.length).trimStart()
  }
  return lines
}

/** Milliseconds as people say them, to three figures. */
export const time = (milliseconds: number): string => {
  const plain = (value: number, unit: string) =>
    `${value >= 100 ? Math.round(value) : Number(value.toFixed(value >= 10 ? 1 : 2))} ${unit}`
  if (milliseconds < 999.5) return plain(milliseconds, "ms")
  if (milliseconds < 59_995) return plain(milliseconds / 1000, "s")
  const seconds = Math.round(milliseconds / 1000)
  return seconds < 3600
    ? `${Math.floor(seconds / 60)} min ${seconds % 60} s`
    : `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** `1 request`, `2 requests`. */
export const counted = (count: number, noun: string, plural = `${noun}s`): string =>
  `${count.toLocaleString("en")} ${count === 1 ? noun : plural}`

export type Style = "bold" | "dim" | "red" | "cyan" | "blue" | "magenta" | "yellow"
/** Styles a text where the terminal shows styles. */
export type Paint = (style: Style, text: string) => string
export const unpainted: Paint = (_, text) => text
