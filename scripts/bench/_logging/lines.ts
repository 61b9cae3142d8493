/** What all subjects log: the same twelve fields, whose values differ from line to line as those of real logs do. */
import type * as HttpMessage from "../../../src/HttpMessage.ts"

/** What one log call is given. */
export interface Line {
  readonly message: string
  /** Seven fields; four hold a secret at one of `paths`. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** Five fields, bound once a request. */
export interface Context {
  readonly traceId: string
  readonly correlationId: string
  readonly requestId: string
  readonly executionId: string
  readonly function: string
}

/** What is hidden, in pino's words. */
export const paths = ["user.password", "headers.authorization", "items[*].secret", "*.token"]

/** Lines of one request, after which a function lets others run. */
export const linesOfRequest = 50

const words =
  "order parcel invoice customer stock payment refund shelf courier label queue retry cache index batch report page draft photo score night route store limit".split(
    " "
  )
const verbs = "is packed,leaves for Lyon,was counted,waits for its label,is paid,goes back,was merged,is late".split(
  ","
)
const names = "Ada Lovelace,Grace Hopper,Zoë Müller,Jean Bartik,Åsa Lind,Mary Shaw,Radia Perlman,Karen Jones".split(",")
const systems = "X11; Linux x86_64,Macintosh; Intel Mac OS X 10_15_7,Windows NT 10.0; Win64; x64".split(",")

/** Numbers of a linear congruence, so that every subject is given the same lines. Source: Knuth, TAOCP 2, 3.3.4. */
const numbers = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
type Draw = ReturnType<typeof numbers>

const pick = (draw: Draw, from: ReadonlyArray<string>): string => from[draw(from.length)]!
const hex = (draw: Draw, digits: number): string => {
  let text = ""
  while (text.length < digits)
    text += draw(2 ** 32)
      .toString(16)
      .padStart(8, "0")
  return text.slice(0, digits)
}

/** Sentences, thousands of them; some in quotes or of several lines. */
const sentences: ReadonlyArray<string> = (() => {
  const draw = numbers(7)
  return Array.from({ length: 6000 }, (_, index) => {
    const text = `the ${pick(draw, words)} of the ${pick(draw, words)} ${pick(draw, verbs)}`
    return index % 40 === 0 ? `"${text}"\nand the ${pick(draw, words)}` : `${text}, and the ${pick(draw, words)} too`
  })
})()

const item = (draw: Draw) => ({
  sku: `${pick(draw, words)}-${draw(9999)}`,
  quantity: 1 + draw(9),
  secret: hex(draw, 24)
})
const line = (draw: Draw): Line => ({
  message: `${pick(draw, sentences)} (${draw(1e6)})`,
  fields: {
    orderId: hex(draw, 20),
    amount: draw(1e7) / 100,
    note: pick(draw, sentences),
    user: { id: hex(draw, 20), name: pick(draw, names), password: `p-${draw(1e9)}` },
    headers: {
      authorization: `Bearer ${hex(draw, 32)}`,
      "user-agent": `Mozilla/5.0 (${pick(draw, systems)}) Firefox/${100 + draw(50)}.0`
    },
    items: [item(draw), item(draw)],
    client: { token: hex(draw, 32), device: `device-${draw(5000)}` }
  }
})

const draw = numbers(1)

/** They come out of JSON, as what a function was sent does: no text is a concatenation. */
const drawn = JSON.parse(JSON.stringify(Array.from({ length: 5000 }, () => line(draw)))) as ReadonlyArray<Line>
let given = 0

/** The next ones; all were made beforehand, so that a collector that comes by has the loggers' own to look at. */
export const lines = (count: number): ReadonlyArray<Line> =>
  Array.from({ length: count }, () => drawn[given++ % drawn.length]!)

export const context = (): Context => {
  const traceId = hex(draw, 32)
  return {
    traceId,
    correlationId: `order-${hex(draw, 12)}`,
    requestId: `req-${hex(draw, 12)}`,
    executionId: hex(draw, 20),
    function: "create-recognition"
  }
}

/** A request that is given this context. */
export const requestOf = ({ correlationId, executionId, requestId, traceId }: Context): HttpMessage.Request => ({
  method: "POST",
  path: "/recognitions",
  headers: {
    "content-type": "application/json",
    traceparent: `00-${traceId}-${traceId.slice(0, 16)}-01`,
    "x-correlation-id": correlationId,
    "x-request-id": requestId,
    "x-appwrite-execution-id": executionId,
    "x-appwrite-trigger": "http"
  },
  body: ""
})
