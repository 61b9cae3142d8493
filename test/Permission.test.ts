/** Permission strings: which are taken, and how a list is kept. */
import { assert, describe, it } from "@effect/vitest"
import * as Result from "effect/Result"
import * as Permission from "../src/Permission.ts"

const longest = "a".repeat(36)
const roles = [
  "any",
  "guests",
  "users",
  "users/verified",
  "users/unverified",
  "user:u1",
  `user:${longest}`,
  "user:u1/unverified",
  "team:t1",
  "team:t.1/owner",
  "member:m1",
  "label:admin"
]
const noRoles = [
  "",
  "nosuch",
  "Any",
  "any/x",
  "any:x",
  "guests/verified",
  "users/nosuch",
  "users:u1",
  "user",
  "user:",
  "user:_bad",
  `user:${longest}a`,
  "user:u1/nosuch",
  "team:",
  "team:t1/",
  "team:t1/a/b",
  "member:",
  "member:m1/x",
  "label:",
  "label:x y",
  "label:x-y",
  "any\n"
]
const noPermissions = [
  "",
  "read",
  "read()",
  "read(any)",
  "read('any')",
  'read("any"',
  'READ("any")',
  'nosuch("any")',
  ' read("any")',
  'read("any") ',
  'read("any")\n',
  'read("any","x")'
]

describe("Permission", () => {
  it("each role of the server is taken", () => {
    for (const role of roles) {
      assert.deepStrictEqual(
        Permission.normalize([`read("${role}")`], "document"),
        Result.succeed([`read("${role}")`]),
        role
      )
    }
  })

  it("what is no role, or no permission, is refused and named", () => {
    for (const permission of [...noRoles.map((role) => `read("${role}")`), ...noPermissions]) {
      for (const owner of ["collection", "document"] as const) {
        const result = Permission.normalize(['read("any")', permission], owner)
        if (Result.isSuccess(result)) assert.fail(`${JSON.stringify(permission)} was taken`)
        assert.include(result.failure, JSON.stringify(permission))
      }
    }
  })

  const kept: ReadonlyArray<readonly [string, Permission.Owner, ReadonlyArray<string>, ReadonlyArray<string>]> = [
    ["none", "collection", [], []],
    ["the order given stays", "document", ['update("any")', 'read("any")'], ['update("any")', 'read("any")']],
    [
      "write of a collection is three",
      "collection",
      ['write("any")'],
      ['create("any")', 'update("any")', 'delete("any")']
    ],
    ["write of a document is two", "document", ['write("any")'], ['update("any")', 'delete("any")']],
    [
      "doubles go, also those that write makes",
      "document",
      ['delete("any")', 'read("any")', 'write("any")', 'read("any")', 'update("any")'],
      ['delete("any")', 'read("any")', 'update("any")']
    ],
    [
      "a role in another case is another",
      "document",
      ['read("user:A")', 'read("user:a")'],
      ['read("user:A")', 'read("user:a")']
    ]
  ]
  for (const [title, owner, given, expected] of kept) {
    it(`a list is kept in the server's form: ${title}`, () => {
      const once = Permission.normalize(given, owner)
      assert.deepStrictEqual(once, Result.succeed(expected))
      assert.deepStrictEqual(Permission.normalize(expected, owner), once)
    })
  }

  it("create belongs to a collection alone", () => {
    assert.deepStrictEqual(Permission.normalize(['create("any")'], "collection"), Result.succeed(['create("any")']))
    const result = Permission.normalize(['create("any")'], "document")
    assert.isTrue(Result.isFailure(result))
  })

  it(`${Permission.limit} permissions are the most`, () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `read("user:u${index}")`)
    assert.isTrue(Result.isSuccess(Permission.normalize(many(Permission.limit), "document")))
    assert.isTrue(Result.isFailure(Permission.normalize(many(Permission.limit + 1), "document")))
  })
})
