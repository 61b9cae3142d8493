/** The process of one subject: `node worker.ts NAME TO`. It does what its parent asks, one thing at a time. */
import { openSync, truncateSync, writeSync } from "node:fs"
import { judge, type Judged } from "./judge.ts"
import { lines } from "./lines.ts"
import { make, type Name } from "./subjects.ts"

/** Microseconds a line of each chunk: by the clock, and of the processor, all threads together. */
export interface Measured {
  readonly wall: ReadonlyArray<number>
  readonly cpu: ReadonlyArray<number>
}
export type Answer = Measured | ReadonlyArray<Judged>
export type Asked =
  | { readonly kind: "measure"; readonly chunks: number; readonly lines: number }
  | { readonly kind: "judge" }
  /** Numbered lines without end; how many were handed over stands in a file. */
  | { readonly kind: "number"; readonly counter: string }

const [name, to] = process.argv.slice(2) as [Name, string]
const subject = make(name, to)

const measure = async (chunks: number, count: number): Promise<Measured> => {
  const wall: Array<number> = []
  const cpu: Array<number> = []
  if (to !== "/dev/null") truncateSync(to, 0)
  gc!()
  for (let chunk = 0; chunk < chunks; chunk++) {
    const given = lines(count)
    const prepared = subject.prepare?.(count)
    const spent = process.cpuUsage()
    const begun = performance.now()
    await subject.run(given, undefined, prepared)
    wall.push((1000 * (performance.now() - begun)) / count)
    const { system, user } = process.cpuUsage(spent)
    cpu.push((system + user) / count)
  }
  return { wall, cpu }
}

const number = async (counter: string): Promise<never> => {
  const descriptor = openSync(counter, "w")
  const bytes = Buffer.alloc(8)
  let handed = 0
  for (;;) {
    const own = lines(1000).map(({ fields }, index) => ({ message: `line ${handed + index + 1} of many`, fields }))
    await subject.run(own, () => {
      bytes.writeDoubleLE(++handed)
      writeSync(descriptor, bytes, 0, 8, 0)
    })
  }
}

const does = (asked: Asked): Promise<Answer> => {
  switch (asked.kind) {
    case "measure":
      return measure(asked.chunks, asked.lines)
    case "judge":
      return judge(subject, to)
    case "number":
      return number(asked.counter)
  }
}

process.on("message", (asked: Asked) => {
  void does(asked).then((answer) => process.send!(answer))
})
process.on("disconnect", () => process.exit())
