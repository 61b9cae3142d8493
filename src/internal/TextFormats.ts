/** Texts of a form: e-mail addresses, URLs, IP addresses, about as PHP's filters take them. */

const emailForm =
  /^[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/

/** The server cuts white space at the end before it looks. */
export const isEmail = (text: string): boolean => {
  const trimmed = text.trimEnd()
  return emailForm.test(trimmed) && trimmed.indexOf("@") <= 64
}

const urlForm = /^(?:mailto:[^\s@]+@[^\s@]+|[A-Za-z][A-Za-z0-9+.-]*:\/\/[^\s/?#]+\S*)$/
export const isUrl = (text: string): boolean => urlForm.test(text) && URL.canParse(text)

const octet = "(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)"
const ipv4 = new RegExp(`^${octet}(?:\\.${octet}){3}$`)

const isIpv6 = (text: string): boolean => {
  if (!/^[0-9A-Fa-f:.]+$/.test(text)) return false
  const lastColon = text.lastIndexOf(":")
  const tail = text.slice(lastColon + 1)
  if (tail.includes(".")) return ipv4.test(tail) && isIpv6(`${text.slice(0, lastColon)}:0:0`)
  const halves = text.split("::")
  if (halves.length > 2) return false
  const groups = halves.flatMap((half) => (half === "" ? [] : half.split(":")))
  if (!groups.every((group) => /^[0-9A-Fa-f]{1,4}$/.test(group))) return false
  return halves.length === 2 ? groups.length < 8 : groups.length === 8
}
export const isIp = (text: string): boolean => ipv4.test(text) || isIpv6(text)
