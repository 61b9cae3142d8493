/** IP addresses: which are a client's, and as much of them as says where from and not who. */
import { isIp } from "../TextFormats.ts"

/** The eight groups of an IPv6 address, as numbers. */
const groupsOf = (address: string): ReadonlyArray<number> => {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const plain =
    dotted === null
      ? address
      : `${dotted[1]}${((Number(dotted[2]) << 8) | Number(dotted[3])).toString(16)}:${((Number(dotted[4]) << 8) | Number(dotted[5])).toString(16)}`
  const [head = "", tail] = plain.split("::")
  const parse = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)))
  const first = parse(head)
  if (tail === undefined) return first
  const last = parse(tail)
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last]
}

/** The IPv4 address within one that is mapped; undefined for others. */
const mapped = (groups: ReadonlyArray<number>): string | undefined => {
  if (!groups.slice(0, 5).every((group) => group === 0) || groups[5] !== 0xffff) return undefined
  return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join(".")
}

/** Whether it is an address that others reach: neither private, nor of this machine or link, nor for many. */
export const isPublicAddress = (text: string): boolean => {
  if (!isIp(text)) return false
  if (!text.includes(":")) {
    const [a, b] = text.split(".").map(Number) as [number, number]
    return !(
      a === 0 ||
      a === 10 ||
      a === 127 ||
      a >= 224 ||
      (a === 100 && b >= 64 && b <= 127) ||
      (a === 169 && b === 254) ||
      (a === 172 && b >= 16 && b <= 31) ||
      (a === 192 && b === 168)
    )
  }
  const groups = groupsOf(text)
  const inner = mapped(groups)
  if (inner !== undefined) return isPublicAddress(inner)
  const first = groups[0]!
  return first >= 0x2000 && first < 0x4000
}

/** The network of an address: /24 of IPv4, /48 of IPv6. Undefined where it is none. */
export const shortenAddress = (text: string): string | undefined => {
  const bare = text.replace(/^\[|\](?::\d+)?$|%.*$/g, "").replace(/^(\d+(?:\.\d+){3}):\d+$/, "$1")
  if (!isIp(bare)) return undefined
  if (!bare.includes(":")) return bare.replace(/\d+$/, "0")
  const groups = groupsOf(bare)
  const inner = mapped(groups)
  if (inner !== undefined) return inner.replace(/\d+$/, "0")
  return `${groups
    .slice(0, 3)
    .map((group) => group.toString(16))
    .join(":")}::`
}
