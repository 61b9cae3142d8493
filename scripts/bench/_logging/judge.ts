/** What a subject does with values that go wrong. */
import { readFileSync, statSync } from "node:fs"
import { isDeepStrictEqual } from "node:util"
import { type Line, lines } from "./lines.ts"
import type { Subject } from "./subjects.ts"

export interface Judged {
  readonly title: string
  readonly outcome: "yes" | "no" | "throws" | "no line"
}

interface Case {
  readonly title: string
  readonly line: () => Line
  /** By what was written. */
  readonly holds: (written: string, given: Line) => boolean
}

const most = 16_384
const key = ["ghp_", "aZ3kQ9xW7mN2bV5cR8tY1uP4aZ3kQ9xW7mN2"].join("")
const plain = (): Line => lines(1)[0]!
const having = (fields: Readonly<Record<string, unknown>>, message = "marked"): Line => ({ message, fields })

const circular = (): Line => {
  const own: Record<string, unknown> = { orderId: "o-1" }
  own["self"] = own
  return having({ own })
}
const throwing = (): Line =>
  having({
    own: {
      orderId: "o-1",
      get price(): number {
        throw new Error("no price")
      }
    }
  })

const cases: ReadonlyArray<Case> = [
  {
    title: "hides what stands at the four paths",
    line: () => {
      const { fields } = plain()
      return having({ ...fields, client: { token: "hunter2-client", device: "d" } })
    },
    holds: (written) => !written.includes("hunter2")
  },
  {
    title: "hides a nested password that no path names",
    line: () => having({ job: { input: { password: "hunter2-nested" } } }),
    holds: (written) => !written.includes("hunter2")
  },
  {
    title: "hides a vendor's key in a text",
    line: () => having({ note: `it was ${key}, I think` }),
    holds: (written) => !written.includes(key)
  },
  {
    title: "hides an e-mail address in the message",
    line: () => having({ orderId: "o-1" }, "marked: ada@example.com asks"),
    holds: (written) => !written.includes("ada@example.com")
  },
  {
    title: "keeps a line with a text of 10 MB within 16 KiB",
    line: () => having({ note: "long ".repeat(2_000_000) }),
    holds: (written) => written.split("\n").every((line) => Buffer.byteLength(line) <= most)
  },
  { title: "writes an object that holds itself", line: circular, holds: (written) => written.includes("o-1") },
  { title: "writes an object whose getter throws", line: throwing, holds: (written) => written.includes("o-1") }
]

const after = async (subject: Subject, to: string, line: Line): Promise<string> => {
  const before = statSync(to).size
  try {
    await subject.run([line])
  } catch {
    return "throws"
  }
  return readFileSync(to).subarray(before).toString()
}

const unchanged = async (subject: Subject): Promise<Judged> => {
  const given = having({ ...plain().fields, nested: { password: "hunter2" } })
  const copy = structuredClone(given)
  await subject.run([given])
  return { title: "leaves the caller's object as it is", outcome: isDeepStrictEqual(given, copy) ? "yes" : "no" }
}

export const judge = async (subject: Subject, to: string): Promise<ReadonlyArray<Judged>> => {
  const judged: Array<Judged> = []
  for (const { holds, line, title } of cases) {
    const given = line()
    const written = await after(subject, to, given)
    const outcome =
      written === "throws" ? written : !written.includes("marked") ? "no line" : holds(written, given) ? "yes" : "no"
    judged.push({ title, outcome })
  }
  return [...judged, await unchanged(subject)]
}
