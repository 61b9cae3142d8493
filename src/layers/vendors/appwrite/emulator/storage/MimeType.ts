/** What a file is, by its first bytes: the few kinds that matter, as libmagic names them. */

const signatures: ReadonlyArray<readonly [type: string, start: string]> = [
  ["image/png", "\x89PNG\r\n\x1a\n"],
  ["image/jpeg", "\xff\xd8\xff"],
  ["image/gif", "GIF8"],
  ["application/pdf", "%PDF-"],
  ["application/zip", "PK\x03\x04"],
  ["application/gzip", "\x1f\x8b"]
]

/** Bytes that no text holds: control characters but for tab, line feed, form feed, carriage return, escape. */
const isControl = (byte: number) => (byte < 0x20 && ![0x09, 0x0a, 0x0c, 0x0d, 0x1b].includes(byte)) || byte === 0x7f

/** Looked at, from the start. */
const looked = 64 * 1024

const isJson = (text: string) => {
  try {
    return /^\s*[[{]/.test(text) && typeof JSON.parse(text) === "object"
  } catch {
    return false
  }
}

export const detect = (bytes: Uint8Array): string => {
  if (bytes.length === 0) return "application/x-empty"
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, looked))
  const latin = start.toString("latin1")
  const known = signatures.find(([, signature]) => latin.startsWith(signature))
  if (known !== undefined) return known[0]
  if (start.some(isControl)) return "application/octet-stream"
  if (/^\s*<(?:!doctype html|html)/i.test(latin)) return "text/html"
  return bytes.length <= looked && isJson(start.toString("utf8")) ? "application/json" : "text/plain"
}

/** Shown by a browser as what they are; `view` serves everything else as text. */
const viewed = new Set(["image/png", "image/jpeg", "image/gif", "application/pdf", "application/octet-stream"])

export const forView = (type: string): string =>
  viewed.has(type) || type === "application/x-empty" ? type : "text/plain"
