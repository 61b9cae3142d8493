/** How wide attributes are: most characters of a text, and bytes of a row. */
import type { Attribute } from "../Attribute.ts"

/** Bytes of a row, at most; an empty one has `base`. */
export const limit = 65_535
export const base = 1067

/** Most characters that a text of this kind has; 0 for others. */
export const textSize = (attribute: Attribute): number => {
  switch (attribute.kind) {
    case "string":
    case "varchar":
      return attribute.size
    case "text":
      return 65_535
    case "mediumtext":
      return 16_777_215
    case "longtext":
      return 4_294_967_295
    case "email":
      return attribute.size ?? 254
    case "url":
      return attribute.size ?? 2000
    case "ip":
      return attribute.size ?? 39
    case "enum":
      return attribute.size ?? 255
    default:
      return 0
  }
}

const textWidth = (size: number): number => (size > 16_381 ? 20 : size * 4 + (size > 255 ? 2 : 1))
/** Bytes that an attribute takes of its row. Long texts and lists lie outside it, but for their pointer. */
export const of = (attribute: Attribute): number => {
  if (attribute.array) return 20
  switch (attribute.kind) {
    case "string":
    case "varchar":
    case "enum":
    case "email":
    case "url":
    case "ip":
      return textWidth(textSize(attribute))
    case "text":
    case "mediumtext":
    case "longtext":
      return 20
    case "integer":
      return attribute.bits / 8
    case "bigint":
    case "float":
      return 8
    case "datetime":
      return 7
    case "boolean":
      return 1
  }
}

/** Bytes that a row of these attributes takes. */
export const total = (attributes: ReadonlyArray<Attribute>): number =>
  attributes.reduce((sum, attribute) => sum + of(attribute), base)
