import { assert, describe, it } from "@effect/vitest"
import * as Permissions from "holdfast/layers/vendors/appwrite/emulator/Permissions"

const guest = { _tag: "Guest" } as const
const key = { _tag: "Key", scopes: "all" } as const

describe("Permissions", () => {
  it.each([
    ["nosuch", 'Permission "nosuch" is not allowed. Must be one of: read, update, delete, write.'],
    ['create("any")', 'Permission "create("any")" is not allowed. Must be one of: read, update, delete, write.'],
    ["read('any')", `Invalid permission string format: "read('any')".`],
    ["read()", 'Invalid permission string format: "read()".'],
    ['readx("any")', 'Invalid permission type: "readx".'],
    ['read("nosuch")', 'Role "nosuch" is not allowed. Must be one of: any, guests, users, user, team, member, label.'],
    ['read("team:")', 'Role "team" must have an ID value.'],
    ['read("any:x")', 'Role "any" can not have an ID value.'],
    ['read("any/x")', 'Role "any" can not have a dimension value.'],
    ['read("users/nosuch")', 'Role "users" dimension value is invalid. Must be one of: verified, unverified.'],
    ['read("users/")', "Dimension must not be empty"],
    [5, "Every permission must be of type string."]
  ])("says what is wrong with %s", (permission, detail) => {
    assert.strictEqual(Permissions.problem([permission], "document"), detail)
  })

  it("takes at most 100, in a list", () => {
    assert.strictEqual(Permissions.problem('read("any")', "document"), "Permissions must be an array of strings.")
    assert.strictEqual(
      Permissions.problem(
        Array.from({ length: 101 }, (_, n) => `read("user:u${n}")`),
        "document"
      ),
      "You can only provide up to 100 permissions."
    )
  })

  it("spells write out, without doubles, and keeps every kind of role", () => {
    const all = ['read("any")', 'write("users/verified")', 'update("users/verified")', 'read("team:t/owner")']
    assert.isUndefined(Permissions.problem(all, "document"))
    assert.deepStrictEqual(Permissions.expand(all, "document"), [
      'read("any")',
      'update("users/verified")',
      'delete("users/verified")',
      'read("team:t/owner")'
    ])
  })

  it("lets a key do everything, and a guest what any and guests may", () => {
    assert.isTrue(Permissions.allows(key, [], "delete"))
    assert.isTrue(Permissions.allows(guest, ['read("guests")'], "read"))
    assert.isFalse(Permissions.allows(guest, ['read("any")', 'update("users")'], "update"))
    assert.strictEqual(Permissions.refusal(guest, [], "create")?.message, "No permissions provided for action 'create'")
    assert.include(Permissions.refusal(guest, ['create("users")'], "create")?.message, 'for role "users"')
    assert.isUndefined(Permissions.grantRefusal(guest, ['read("any")']))
    assert.strictEqual(
      Permissions.grantRefusal(guest, ['read("user:u1")'])?.message,
      "Permissions must be one of: (any, guests)"
    )
  })
})
