/** Why a user's file can't be imported: with the remedy, where Node's own words have none. */
import { assert, describe, it } from "@effect/vitest"
import { whyNot } from "../../src/internal/ImportFailure.ts"

const version = "22.19.0"
const withCode = (code: string, message: string) => Object.assign(new Error(message), { code })

describe("why a file can't be imported", () => {
  it.each([
    new SyntaxError("Cannot use import statement outside a module"),
    new SyntaxError("Unexpected token 'export'")
  ])("Node takes it for CommonJS ($message): which line its package.json needs", (error) => {
    const text = whyNot(error, version)
    assert.include(text, '"type": "module"')
    assert.include(text, "package.json")
    assert.include(text, error.message)
  })

  it("no types are stripped: by an old Node, in node_modules, or because it takes more", () => {
    const old = whyNot(withCode("ERR_UNKNOWN_FILE_EXTENSION", 'Unknown file extension ".ts"'), version)
    assert.include(old, version)
    assert.include(old, "22.19")
    const inside = whyNot(withCode("ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING", "no"), version)
    assert.include(inside, "node_modules")
    const more = whyNot(withCode("ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", "TypeScript enum is not supported"), version)
    assert.include(more, "TypeScript enum is not supported")
  })

  it("anything else is said as it was thrown, an error with its name", () => {
    assert.strictEqual(whyNot(new TypeError("odd"), version), "TypeError: odd")
    assert.strictEqual(whyNot("odd", version), "odd")
    assert.strictEqual(whyNot(new SyntaxError("Unexpected token '}'"), version), "SyntaxError: Unexpected token '}'")
  })
})
