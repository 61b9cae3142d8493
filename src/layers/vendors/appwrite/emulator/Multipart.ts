/**
 * `multipart/form-data` of one request that is whole in memory. Files stay where they are: views into the body.
 *
 * As lenient as the server with file names: everything between the first and the last quote, in UTF-8, quotes and all.
 */
import * as Fields from "./Fields.ts"

export interface File {
  readonly field: string
  readonly name: string
  readonly bytes: Buffer
}
export interface Form {
  readonly fields: Fields.Fields
  readonly files: ReadonlyArray<File>
}

const none: Form = { fields: {}, files: [] }
const headEnd = Buffer.from("\r\n\r\n")
const delimiterOf = (contentType: string): Buffer | undefined => {
  const [, quoted, plain] = /boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(contentType) ?? []
  const boundary = quoted ?? plain
  return boundary === undefined ? undefined : Buffer.from(`\r\n--${boundary}`)
}

/** Where each part begins and ends; the first delimiter stands without a line break before it. */
const parts = (body: Buffer, delimiter: Buffer): ReadonlyArray<Buffer> => {
  const found: Array<Buffer> = []
  const first = delimiter.subarray(2)
  let at = body.subarray(0, first.length).equals(first) ? first.length : body.indexOf(delimiter)
  if (at > first.length) at += delimiter.length
  while (at >= 0) {
    const end = body.indexOf(delimiter, at)
    if (end < 0) break
    found.push(body.subarray(at, end))
    at = end + delimiter.length
  }
  return found
}

const disposition = (head: string) => {
  const line = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ""
  const [, field] = /[;\s]name="([^"]*)"/i.exec(line) ?? []
  const [, name] = /[;\s]filename="(.*)"/i.exec(line) ?? []
  return { field, name }
}

export const parse = (body: Buffer, contentType: string): Form => {
  const delimiter = delimiterOf(contentType)
  if (delimiter === undefined) return none
  const pairs: Array<readonly [string, string]> = []
  const files: Array<File> = []
  for (const part of parts(body, delimiter)) {
    const split = part.indexOf(headEnd)
    if (split < 0) continue
    const { field, name } = disposition(part.toString("utf8", 0, split))
    const bytes = part.subarray(split + headEnd.length)
    if (field === undefined) continue
    if (name === undefined) pairs.push([field, bytes.toString("utf8")])
    else files.push({ field, name, bytes })
  }
  return { fields: Fields.fromPairs(pairs), files }
}
