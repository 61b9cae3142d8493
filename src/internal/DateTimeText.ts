/** Dates as the server writes them: UTC, to the millisecond, `+00:00`. Texts of one length, so they sort as instants. */

const isoDateTime =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:?\d{2})?)?$/
const earliest = Date.UTC(1000, 0, 1)
const latest = Date.UTC(9999, 11, 31, 23, 59, 59)

/** The instant written last: a batch of documents is written in one millisecond. */
let last = { milliseconds: 0, text: "1970-01-01T00:00:00.000+00:00" }

/** An instant in milliseconds since the epoch, as the server writes it. */
export const formatDateTime = (milliseconds: number): string => {
  if (milliseconds !== last.milliseconds) {
    last = { milliseconds, text: `${new Date(milliseconds).toISOString().slice(0, -1)}+00:00` }
  }
  return last.text
}

/**
 * The instant of an ISO 8601 text in milliseconds since the epoch, cut to the millisecond; undefined where it is none
 * or lies outside the years the server keeps. A text without an offset is UTC; a date alone is its midnight; a day
 * that the month lacks runs over into the next one, as on the server.
 */
export const parseDateTime = (text: string): number | undefined => {
  const parts = isoDateTime.exec(
    /^\d{8}$/.test(text) ? `${text.slice(0, 4)}-${text.slice(4, 6)}-${text.slice(6)}` : text
  )
  if (parts === null) return undefined
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0", offset = "Z"] = parts
  const [months, days, hours, minutes, seconds] = [
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Number(second)
  ]
  if (months < 1 || months > 12 || days < 1 || days > 31 || hours > 24 || minutes > 59 || seconds > 59) return undefined
  // Years below 1000 are refused here: JavaScript takes those below 100 for the last century's.
  if (Number(year) < 1000 || (hours === 24 && (minutes > 0 || seconds > 0))) return undefined
  const sign = offset.startsWith("-") ? -1 : 1
  const digits = offset === "Z" ? "0000" : offset.slice(1).replace(":", "")
  const shift = sign * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2))) * 60_000
  const instant =
    Date.UTC(Number(year), months - 1, days, hours, minutes, seconds, Number(fraction.padEnd(3, "0").slice(0, 3))) -
    shift
  return instant >= earliest && instant <= latest ? instant : undefined
}

/** An ISO 8601 text as the server keeps it, or undefined. */
export const normalizeDateTime = (text: string): string | undefined => {
  const instant = parseDateTime(text)
  return instant === undefined ? undefined : formatDateTime(instant)
}
