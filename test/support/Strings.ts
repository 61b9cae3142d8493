/** Generated strings that are likely to be equal or neighbours under the server's collation. */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

/** Cases, accents, ß and its kin, spaces, control characters around the space, and characters above U+FFFF. */
const telling =
  "aAáÄăbBsSßſśzZeéÉoØøiIıİæÆœÐþĸŉ    " +
  '\u0000\u0001\t\n\u001f!"\u007f\u0085\u00a0\u3000' +
  "0７7µμΜϑШщ中가\ue000\ufdfd\ufffd\uffff😀🚀𝒜"
const character = Arbitrary.schema(Schema.Literals([...new Set(Array.from(telling))]))
/** Any code point up to the greatest; a space stands for the surrogates, which are none. */
const codePoint = (greatest: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: greatest }))).pipe(
    Arbitrary.map((code) => String.fromCodePoint(code >= 0xd800 && code < 0xe000 ? 0x20 : code))
  )

const joined = (item: Arbitrary.Arbitrary<string>, maxLength = 8) =>
  Arbitrary.array(item, { maxLength }).pipe(Arbitrary.map((characters) => characters.join("")))

export const tellingString = joined(character)
export const latinString = joined(codePoint(0x24f))
export const anyString = joined(codePoint(0x10ffff))
/** Short and of few characters, so that many are equal without being the same. */
export const collidingString = joined(
  Arbitrary.schema(Schema.Literals(["a", "Á", " ", "s", "ß", "\u0001", "😀", "🚀"])),
  3
)
