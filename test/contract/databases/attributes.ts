/** What each kind of attribute takes, keeps and refuses, as a scalar and as an array. Definitions are in definitions.ts. */
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Attribute from "../../../src/Attribute.ts"
import type { Document } from "../../../src/Document.ts"
import { idsOf, type Options, type Promised, refused } from "./support.ts"

interface Case {
  readonly about: string
  readonly attribute: (options: { readonly array: boolean }) => Attribute.Attribute
  /** As given and as kept. */
  readonly kept: ReadonlyArray<readonly [Attribute.Scalar, Attribute.Scalar]>
  readonly refused: ReadonlyArray<unknown>
  /** What stands for null inside an array. */
  readonly nullInArray: Attribute.Scalar
}
const same = (...values: ReadonlyArray<Attribute.Scalar>) => values.map((value) => [value, value] as const)

/** A number that may stand for another one beside it. */
const isUnsafe = (value: unknown): value is number => value === 2 ** 53

const cases: { readonly [K in Attribute.Kind]: ReadonlyArray<Case> } = {
  string: [
    {
      about: "a string is kept exactly, and its size counts code points",
      attribute: (options) => Attribute.string("a", { size: 5, ...options }),
      kept: same("", "12345", "ééééé", "😀😀😀😀😀", " x  ", "\u0000\u0001\n", "\u2028", "e\u0301", "007"),
      refused: ["123456", "éééééé", "😀😀😀😀😀😀", "12345 ", 5, true, "\ud800", "x\udc00"],
      nullInArray: null
    }
  ],
  varchar: [
    {
      about: "a varchar is kept exactly, and its size counts code points",
      attribute: (options) => Attribute.varchar("a", { size: 3, ...options }),
      kept: same("", "abc", "ééé", "😀😀😀", " x "),
      refused: ["abcd", "abc ", 5, true, "\ud800"],
      nullInArray: null
    }
  ],
  text: [
    {
      about: "a text takes 16,384 characters and more",
      attribute: (options) => Attribute.text("a", options),
      kept: same("", "t".repeat(16_384), "é".repeat(30_000), "a\u0000😀 "),
      refused: ["t".repeat(65_536), 5, true, "\ud800"],
      nullInArray: null
    }
  ],
  mediumtext: [
    {
      about: "a mediumtext takes more than a text",
      attribute: (options) => Attribute.mediumtext("a", options),
      kept: same("", "t".repeat(65_536), "m 😀"),
      refused: [5, true, "\ud800"],
      nullInArray: null
    }
  ],
  longtext: [
    {
      about: "a longtext takes more than a text",
      attribute: (options) => Attribute.longtext("a", options),
      kept: same("", "t".repeat(65_536), "l 😀"),
      refused: [5, false, "\udc00"],
      nullInArray: null
    }
  ],
  email: [
    {
      about: "an email is an address, and is kept as written",
      attribute: (options) => Attribute.email("a", options),
      kept: same("a@example.com", "A.b+c@Sub.Example.COM", "a@example.com "),
      refused: ["nomail", "", "a@b", "ü@example.com", "a b@example.com", "a@example.com, b@example.com", 5],
      nullInArray: null
    }
  ],
  url: [
    {
      about: "a url has a scheme and a host",
      attribute: (options) => Attribute.url("a", options),
      kept: same(
        "https://example.com",
        "https://example.com/x?y=1#z",
        "ftp://example.com",
        "mailto:a@example.com",
        "http://localhost"
      ),
      refused: ["example.com", "javascript:alert(1)", "//x", "not a url", "", 5],
      nullInArray: null
    }
  ],
  ip: [
    {
      about: "an ip is an address of either version",
      attribute: (options) => Attribute.ip("a", options),
      kept: same("10.0.0.1", "::1", "2001:db8::ff00:42:8329", "::ffff:10.0.0.1"),
      refused: ["1.2.3", "01.2.3.4", "999.1.1.1", "1.2.3.4/8", "::1::", "", 5],
      nullInArray: null
    }
  ],
  integer: [
    {
      about: "an integer of 64 bits takes what a number holds exactly, and beyond it bigints",
      attribute: (options) => Attribute.integer("a", options),
      kept: [
        ...same(0, -1, 2_147_483_648, 9_007_199_254_740_991, -9_007_199_254_740_991),
        ...same(9_007_199_254_740_993n, 2n ** 63n - 1n, -(2n ** 63n)),
        [5n, 5],
        [-0, 0]
      ],
      refused: ["2", 2.5, true, 9_007_199_254_740_992, 1e300, "", 2n ** 63n, -(2n ** 63n) - 1n],
      nullInArray: 0
    },
    {
      about: "an integer of 32 bits takes those",
      attribute: (options) => Attribute.integer("a", { bits: 32, ...options }),
      kept: same(2_147_483_647, -2_147_483_648),
      refused: [2_147_483_648, -2_147_483_649, 9_007_199_254_740_993n],
      nullInArray: 0
    },
    {
      about: "an integer keeps to its bounds",
      attribute: (options) => Attribute.integer("a", { min: -3, max: 3, ...options }),
      kept: same(-3, 0, 3),
      refused: [4, -4],
      nullInArray: 0
    }
  ],
  bigint: [
    {
      about: "a bigint takes 64 bits exactly, and digits as text",
      attribute: (options) => Attribute.bigint("a", options),
      kept: [
        ...same(0, -5, 9_007_199_254_740_991, 9_007_199_254_740_993n, 2n ** 63n - 1n, -(2n ** 63n)),
        [7n, 7],
        ["123", 123],
        ["9223372036854775807", 2n ** 63n - 1n]
      ],
      refused: [2n ** 63n, -(2n ** 63n) - 1n, 2n ** 64n - 1n, "x", "", "1.0", 2.5, true],
      nullInArray: 0
    },
    {
      about: "a bigint keeps to its bounds, beyond 2^53 to the last digit",
      attribute: (options) => Attribute.bigint("a", { min: -(2n ** 60n), max: 2n ** 60n, ...options }),
      kept: same(2n ** 60n, -(2n ** 60n), 0),
      refused: [2n ** 60n + 1n, -(2n ** 60n) - 1n],
      nullInArray: 0
    }
  ],
  float: [
    {
      about: "a float takes any finite number",
      attribute: (options) => Attribute.float("a", options),
      kept: [...same(0, 0.5, -2, 1, 1e308, 1e-320, 9_007_199_254_740_992, 123_456_789.123_456_79), [-0, 0]],
      refused: ["1.0", "NaN", false, ""],
      nullInArray: null
    },
    {
      about: "a float keeps to its bounds",
      attribute: (options) => Attribute.float("a", { min: -0.5, max: 1.5, ...options }),
      kept: same(-0.5, 1.5, 1),
      refused: [1.6, -0.6],
      nullInArray: null
    }
  ],
  boolean: [
    {
      about: "a boolean is true or false, nothing that looks like it",
      attribute: (options) => Attribute.boolean("a", options),
      kept: same(true, false),
      refused: [1, 0, "true", ""],
      nullInArray: false
    }
  ],
  datetime: [
    {
      about: "a datetime is kept in UTC to the millisecond",
      attribute: (options) => Attribute.datetime("a", options),
      kept: [
        ["2024-01-02T03:04:05Z", "2024-01-02T03:04:05.000+00:00"],
        ["2024-01-02T03:04:05.678Z", "2024-01-02T03:04:05.678+00:00"],
        ["2024-01-02T03:04:05.678901+00:00", "2024-01-02T03:04:05.678+00:00"],
        ["2024-01-02T03:04:05+02:00", "2024-01-02T01:04:05.000+00:00"],
        ["2024-01-02T03:04:05.5-05:30", "2024-01-02T08:34:05.500+00:00"],
        ["2024-01-02 03:04:05", "2024-01-02T03:04:05.000+00:00"],
        ["2024-01-02", "2024-01-02T00:00:00.000+00:00"],
        ["2024-02-30", "2024-03-01T00:00:00.000+00:00"],
        ["2024-01-02T24:00:00Z", "2024-01-03T00:00:00.000+00:00"],
        ["1000-01-01", "1000-01-01T00:00:00.000+00:00"]
      ],
      refused: [
        "0999-12-31",
        "0050-01-01",
        "9999-12-31T23:59:59.999Z",
        "1704164645",
        "garbage",
        "2024-13-01",
        1704164645
      ],
      nullInArray: null
    }
  ],
  enum: [
    {
      about: "an enum takes its elements alone, compared exactly",
      attribute: (options) => Attribute.enumeration("a", { elements: ["x", "Long one"], ...options }),
      kept: same("x", "Long one"),
      refused: ["X", "", "x ", "long one", 1],
      nullInArray: null
    }
  ]
}

export const attributes = (promise: Promised, { overWire }: Options): void => {
  for (const { about, attribute, kept, refused: others, nullInArray } of Object.values(cases).flat()) {
    // As digits in JSON a number beyond 2^53 is the bigint, which is taken.
    const taken = overWire ? others.filter(isUnsafe) : []
    const wrong = others.filter((value) => !overWire || !isUnsafe(value))
    promise(about, (db) =>
      Effect.gen(function* () {
        const collection = yield* db.createCollection("c", { attributes: [attribute({ array: false })] })
        assert.deepStrictEqual(collection.attributes, [attribute({ array: false })])
        for (const [index, [given, stored]] of kept.entries()) {
          const created = yield* db.createDocument("c", { $id: `d${index}`, a: given })
          assert.deepStrictEqual(created["a"], stored)
          assert.deepStrictEqual(yield* db.getDocument("c", `d${index}`), created)
        }
        const empty = yield* db.createDocument("c", { $id: "null", a: null })
        assert.isNull(empty["a"])
        const all = idsOf((yield* db.listDocuments("c")).documents)
        for (const value of [...wrong, ["x"]] as ReadonlyArray<Attribute.Value>) {
          const reason = yield* refused(
            db.createDocument("c", { $id: "wrong", a: value }),
            "InvalidDocument",
            "row_invalid_structure"
          )
          assert.deepStrictEqual([reason.id, reason.attribute], ["wrong", "a"])
          yield* refused(db.updateDocument("c", "d0", { a: value }), "InvalidDocument", "row_invalid_structure")
        }
        assert.deepStrictEqual(idsOf((yield* db.listDocuments("c")).documents), all)
        for (const value of taken) {
          assert.strictEqual((yield* db.createDocument("c", { $id: "taken", a: value }))["a"], BigInt(value))
        }
      })
    )

    promise(`${about}; so does each element of an array`, (db) =>
      Effect.gen(function* () {
        yield* db.createCollection("c", { attributes: [attribute({ array: true })] })
        const given = kept.map(([value]) => value)
        const stored = kept.map(([, value]) => value)
        const created = yield* db.createDocument("c", { $id: "d", a: [...given, ...given, null] })
        assert.deepStrictEqual(created["a"], [...stored, ...stored, nullInArray])
        assert.deepStrictEqual(yield* db.getDocument("c", "d"), created)
        for (const value of wrong as ReadonlyArray<Attribute.Scalar>) {
          yield* refused(
            db.createDocument("c", { $id: "wrong", a: [given[0]!, value] }),
            "InvalidDocument",
            "row_invalid_structure"
          )
        }
        yield* refused(
          db.createDocument("c", { $id: "wrong", a: given[0]! }),
          "InvalidDocument",
          "row_invalid_structure"
        )
        assert.strictEqual((yield* db.listDocuments("c")).total, 1)
      })
    )
  }

  promise("what is no number at all is refused as a value, not as a crash", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.float("f"), Attribute.integer("i")] })
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
        for (const key of ["f", "i"]) {
          yield* refused(db.createDocument("c", { $id: "d", [key]: value }), "InvalidDocument", "row_invalid_structure")
        }
      }
    })
  )

  promise("an array that nobody wrote reads as empty, and may be emptied again by null", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("s", { size: 5, array: true }), Attribute.integer("n")]
      })
      const left = yield* db.createDocument("c", { $id: "left", n: 1 })
      const none = yield* db.createDocument("c", { $id: "none", n: 1, s: null })
      assert.deepStrictEqual([left["s"], none["s"]], [[], []])
      yield* db.updateDocument("c", "left", { s: ["x", "x", ""] })
      assert.deepStrictEqual((yield* db.getDocument("c", "left"))["s"], ["x", "x", ""])
      assert.deepStrictEqual((yield* db.updateDocument("c", "left", { s: null }))["s"], [])
      assert.deepStrictEqual((yield* db.getDocument("c", "left"))["s"], [])
    })
  )

  promise("a required array takes an empty list, and nothing else for it", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("s", { size: 5, array: true, required: true }), Attribute.integer("n")]
      })
      assert.deepStrictEqual((yield* db.createDocument("c", { $id: "d", s: [] }))["s"], [])
      yield* refused(db.createDocument("c", { $id: "e", s: null }), "InvalidDocument", "row_invalid_structure")
      yield* refused(db.createDocument("c", { $id: "e", n: 1 }), "InvalidDocument", "row_invalid_structure")
      assert.deepStrictEqual((yield* db.updateDocument("c", "d", { n: 1 }))["s"], [])
    })
  )

  promise("a required attribute must be there, and may not be set to null later", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", {
        attributes: [Attribute.string("a", { size: 5, required: true }), Attribute.integer("n")]
      })
      yield* db.createDocument("c", { $id: "d", a: "" })
      for (const values of [{ n: 1 }, { a: null }]) {
        const reason = yield* refused(
          db.createDocument("c", { $id: "e", ...values }),
          "InvalidDocument",
          "row_invalid_structure"
        )
        assert.strictEqual(reason.attribute, "a")
      }
      yield* refused(db.updateDocument("c", "d", { a: null }), "InvalidDocument", "row_invalid_structure")
      assert.strictEqual((yield* db.updateDocument("c", "d", { n: 1 }))["a"], "")
    })
  )

  promise("an attribute that the collection does not have is refused; keys of values are exact in case", (db) =>
    Effect.gen(function* () {
      yield* db.createCollection("c", { attributes: [Attribute.integer("n")] })
      yield* db.createDocument("c", { $id: "d", n: 1 })
      for (const key of ["zz", "N"]) {
        const values = { [key]: 1 }
        const reason = yield* refused(
          db.createDocument("c", { $id: "e", ...values }),
          "InvalidDocument",
          "row_invalid_structure"
        )
        assert.strictEqual(reason.attribute, key)
        yield* refused(db.updateDocument("c", "d", values), "InvalidDocument", "row_invalid_structure")
      }
    })
  )

  promise("a default of each kind fills new documents that leave the attribute out or give null", (db) =>
    Effect.gen(function* () {
      const defaults: Record<string, Attribute.Scalar> = { s: "é ", i: 0, f: 0.5, b: false, e: "y" }
      yield* db.createCollection("c", {
        attributes: [
          Attribute.string("s", { size: 5, default: "é " }),
          Attribute.integer("i", { default: 0 }),
          Attribute.float("f", { default: 0.5 }),
          Attribute.boolean("b", { default: false }),
          Attribute.datetime("d", { default: "2020-01-01" }),
          Attribute.enumeration("e", { elements: ["x", "y"], default: "y" }),
          Attribute.integer("n")
        ]
      })
      const filled = { ...defaults, d: "2020-01-01T00:00:00.000+00:00", n: 1 }
      const valuesOf = (document: Document) =>
        Object.fromEntries(Object.keys(filled).map((key) => [key, document[key]]))
      const left = yield* db.createDocument("c", { $id: "left", n: 1 })
      const none = yield* db.createDocument("c", {
        $id: "none",
        n: 1,
        s: null,
        i: null,
        f: null,
        b: null,
        e: null,
        d: null
      })
      assert.deepStrictEqual(valuesOf(left), filled)
      assert.deepStrictEqual(valuesOf(none), filled)
      assert.deepStrictEqual(yield* db.getDocument("c", "left"), left)
      assert.deepStrictEqual(valuesOf(yield* db.updateDocument("c", "left", { s: "x" })), { ...filled, s: "x" })
      assert.deepStrictEqual(valuesOf(yield* db.updateDocument("c", "left", { s: null })), filled)
      assert.deepStrictEqual(yield* db.getDocument("c", "none"), none)
    })
  )
}
