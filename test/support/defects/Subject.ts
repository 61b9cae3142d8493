/**
 * What the scenarios of scenarios.ts are played on: whatever promises to run a request once. Ours, the small stores
 * beside this file, and in the benchmark the released packages.
 */

/** The handler gets this very object, and may change it. */
export interface Request {
  operation: string
  key: string | undefined
  userId: string | undefined
  /** JSON. */
  body: string
  /** Whether it is known when the process that answers it ends, as a cloud function knows. */
  hasDeadline: boolean
}

export interface Response {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** What a client gets. `problem`: why it was refused, by the last part of the problem's type. */
export interface Answer extends Response {
  readonly problem?: string | undefined
}

/** A status of 503 says that nothing has happened. */
export type Handler = (request: Request) => Promise<Response>

/** A write that is on its way. */
export interface Held {
  /** When its sender has come so far. */
  readonly reached: Promise<void>
  readonly release: () => void
}

export interface Subject {
  readonly call: (request: Request, handler: Handler) => Promise<Answer>
  /** Lets time pass, in milliseconds. Nobody renews a lease meanwhile: all owners stand still. */
  readonly advance: (milliseconds: number) => Promise<void>
  /** Holds up the next contender that found a lease over, right before it writes that the key is its own. */
  readonly holdTakeover: () => Held
  /** The next claim is written, and its answer lost. */
  readonly loseAnswer: () => void
  /** What is run now and then to remove what is over. */
  readonly cleanUp: () => Promise<void>
  /** How much the store holds. */
  readonly rows: () => Promise<number>
  readonly close: () => Promise<void>
}

/** Milliseconds: of an owner without a sign of life, between clocks, and of a key. */
export const times = { lease: 60_000, margin: 5000, ttl: 86_400_000 } as const

export const request = (changes: Partial<Request> = {}): Request => ({
  operation: "pay",
  key: "8e03978e-40d5-43dd-bc93-6894a57f9324",
  userId: "ada",
  body: '{"amount":1,"currency":"EUR"}',
  hasDeadline: true,
  ...changes
})

export const response = (body: string, status = 201): Response => ({
  status,
  headers: { "content-type": "text/plain", location: `/payments/${body}` },
  body
})

/** Until a call on its way comes where the test wants it. */
const latch = () => Promise.withResolvers<void>()

export const held = (): Held & { readonly pass: () => Promise<void> } => {
  const [reached, released] = [latch(), latch()]
  return {
    reached: reached.promise,
    release: released.resolve,
    pass: () => {
      reached.resolve()
      return released.promise
    }
  }
}

/** A handler that counts, and waits in the middle where it is told to. */
export interface Watched {
  readonly handler: Handler
  readonly runs: () => number
  /** When it has begun. */
  readonly started: Promise<void>
  readonly release: () => void
}
const watched = (answer: Response, waits: boolean): Watched => {
  const { pass, reached, release } = held()
  let runs = 0
  return {
    handler: async () => {
      runs++
      if (waits) await pass()
      return answer
    },
    runs: () => runs,
    started: reached,
    release
  }
}
export const answering = (answer: Response): Watched => watched(answer, false)
export const waiting = (answer: Response): Watched => watched(answer, true)
