/** Code points of texts, which is what sizes count. */

/** Number of code points, which is what sizes count. */
export const codePoints = (text: string): number => {
  let count = 0
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit < 0xdc00) index++
    count++
  }
  return count
}
