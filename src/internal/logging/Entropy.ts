/** Whether a word was drawn and not written: secrets of no known form. */

/** Bits for each character, by how often each occurs in the word. Source: Shannon 1948, section 6. */
const entropy = (word: string): number => {
  const counts = new Map<string, number>()
  for (const character of word) counts.set(character, (counts.get(character) ?? 0) + 1)
  let bits = 0
  for (const count of counts.values()) bits -= (count / word.length) * Math.log2(count / word.length)
  return bits
}

/** How often a letter is followed by one of another kind: names change at their words alone. */
const changes = (word: string): number => {
  let count = 0
  for (let index = 1; index < word.length; index++) {
    const [a, b] = [kind(word.charCodeAt(index - 1)), kind(word.charCodeAt(index))]
    if (a !== b) count++
  }
  return count
}
const kind = (code: number): number =>
  code >= 48 && code <= 57 ? 0 : code >= 65 && code <= 90 ? 1 : code >= 97 && code <= 122 ? 2 : 3

const least = 20
/** Of a secret key of AWS: a name of just this length is rare. */
const awsLength = 40

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/**
 * Hexadecimal digits as keys have them, 32 or more of both kinds; or 20 and more characters of three kinds that change
 * as those of drawn words do.
 */
export const isRandom = (word: string): boolean => {
  if (uuid.test(word)) return false
  // A path: each of its names by itself.
  if (word.startsWith("/")) return word.split("/").some((name) => name.length >= least && isRandom(name))
  if (/^[0-9a-f]+$/i.test(word))
    return word.length >= 32 && /\d/.test(word) && /[a-f]/i.test(word) && entropy(word) > 2.5
  if (!(/\d/.test(word) && /[a-z]/.test(word) && /[A-Z]/.test(word))) {
    // Lower case and digits alone: only long ones that mix them all along.
    return (
      word.length >= 32 &&
      /\d/.test(word) &&
      !/[-_/]/.test(word) &&
      changes(word) > word.length / 4 &&
      entropy(word) > 3.5
    )
  }
  return entropy(word) > 3.4 && changes(word) > word.length * (word.length === awsLength ? 1 / 3 : 0.42)
}
