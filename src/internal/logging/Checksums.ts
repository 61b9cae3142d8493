/** Check digits: whether a number is one of its kind, or any number. */

/** Of card numbers. Source: ISO/IEC 7812-1, annex B. */
const luhn = (digits: string): boolean => {
  let sum = 0
  for (let index = 0; index < digits.length; index++) {
    let digit = digits.charCodeAt(digits.length - 1 - index) - 48
    if (index % 2 === 1) digit = digit > 4 ? digit * 2 - 9 : digit * 2
    sum += digit
  }
  return sum % 10 === 0 && /[^0]/.test(digits)
}

const digits = { least: 13, most: 19 } as const

/** Card numbers among groups of digits: groups in a row that are one together. Where each begins and ends. */
export const cardNumbers = (text: string): ReadonlyArray<readonly [begin: number, end: number]> => {
  const groups = [...text.matchAll(/\d+/g)]
  // What has other signs between than spaces and dashes is one only in fours: 3.141592653589793 is none.
  if (/[._/]/.test(text) && !groups.every(([group]) => group.length === 4)) return []
  const found: Array<readonly [number, number]> = []
  for (let first = 0; first < groups.length; first++) {
    let number = ""
    for (let last = first; last < groups.length && number.length <= digits.most; last++) {
      number += groups[last]![0]
      if (number.length < digits.least || number.length > digits.most) continue
      // What begins with another digit is no card for payments, and mostly a time.
      if (!/^[2-6]/.test(number) || !luhn(number)) continue
      found.push([groups[first]!.index, groups[last]!.index + groups[last]![0].length])
      first = last
      break
    }
  }
  return found
}

/** Of account numbers. Source: ISO 13616-1, section 6.2. */
export const mod97 = (iban: string): boolean => {
  let rest = 0
  for (const character of iban.slice(4) + iban.slice(0, 4))
    for (const digit of String(Number.parseInt(character, 36))) rest = (rest * 10 + Number(digit)) % 97
  return rest === 1
}
