/**
 * A small store that has none of the defects, in one map, with a clock of its own. Each rule that a defect breaks is a
 * method, so that a store with that defect is this one with that method replaced.
 */
import { type Answer, type Handler, held, type Request, type Response, type Subject, times } from "./Subject.ts"

export interface Claim {
  readonly key: string
  readonly fingerprint: string
  /** When its owner may be taken for dead. */
  readonly lease: number
  readonly expiresAt: number
  /** Undefined while its owner runs. */
  readonly response: Response | undefined
}

/** What is asked, as it came. */
export interface Ticket {
  readonly key: string
  readonly fingerprint: string
}

export const refusal = (status: number, problem: string): Answer => ({ status, headers: {}, body: "", problem })

const sorted = (json: string): string =>
  JSON.stringify(
    Object.entries(JSON.parse(json) as Record<string, unknown>).toSorted(([left], [right]) => (left < right ? -1 : 1))
  )

export class Sound implements Subject {
  protected now = 0
  protected readonly claims = new Map<string, Claim>()
  protected takeover: ReturnType<typeof held> | undefined
  protected loses = false

  protected keyOf({ key, operation, userId }: Request): string {
    return JSON.stringify([operation, userId, key])
  }
  protected fingerprintOf({ body }: Request): string {
    return sorted(body)
  }
  protected leaseOf(_request: Request): number {
    return this.now + times.lease
  }
  protected expiryOf(): number {
    return this.now + times.ttl
  }
  protected missing(): Answer {
    return refusal(400, "key-missing")
  }
  /** For the end of a request: what was computed when it came. */
  protected atEnd(_request: Request, ticket: Ticket): Ticket {
    return ticket
  }
  protected mayComplete(mine: Claim): boolean {
    return this.claims.get(mine.key) === mine
  }
  protected mayRelease(mine: Claim): boolean {
    return this.claims.get(mine.key) === mine
  }
  protected completed(mine: Claim, answer: Response): Claim {
    return { ...mine, response: answer }
  }
  protected replay({ body, headers, status }: Response): Answer {
    return { status, headers: { ...headers, "idempotency-replayed": "true" }, body }
  }
  /** The client of an owner that was overtaken. */
  protected overtaken(ticket: Ticket, _own: Response): Answer {
    const { response } = this.claims.get(ticket.key) ?? {}
    return response === undefined ? refusal(409, "in-progress") : this.replay(response)
  }
  /** Undefined where the claim can be taken over. */
  protected judge(found: Claim, ticket: Ticket): Answer | Claim | undefined {
    if (found.fingerprint !== ticket.fingerprint) return refusal(422, "fingerprint-mismatch")
    if (found.response !== undefined) return this.replay(found.response)
    return this.now <= found.lease + times.margin ? refusal(409, "in-progress") : undefined
  }
  protected fresh({ fingerprint, key }: Ticket, request: Request): Claim {
    return { key, fingerprint, lease: this.leaseOf(request), expiresAt: this.expiryOf(), response: undefined }
  }
  protected isExpired({ expiresAt }: Claim): boolean {
    return this.now > expiresAt + times.margin
  }
  protected put(claim: Claim): Claim {
    this.claims.set(claim.key, claim)
    return claim
  }
  /** A first claim. Where its answer is lost, it looks whose record is there. */
  protected begin(ticket: Ticket, request: Request, _expired: Claim | undefined): Answer | Claim {
    this.loses = false
    return this.put(this.fresh(ticket, request))
  }
  /** Counts only where nothing has changed since `found` was read. */
  protected async takeOver(ticket: Ticket, request: Request, found: Claim): Promise<Answer | Claim> {
    const { takeover } = this
    this.takeover = undefined
    await takeover?.pass()
    return this.claims.get(ticket.key) === found ? this.put(this.fresh(ticket, request)) : this.claim(ticket, request)
  }
  protected async claim(ticket: Ticket, request: Request): Promise<Answer | Claim> {
    const found = this.claims.get(ticket.key)
    if (found === undefined || this.isExpired(found)) return this.begin(ticket, request, found)
    return this.judge(found, ticket) ?? (await this.takeOver(ticket, request, found))
  }

  async call(request: Request, handler: Handler): Promise<Answer> {
    if (request.key === undefined) return this.missing()
    const ticket = { key: this.keyOf(request), fingerprint: this.fingerprintOf(request) }
    const claimed = await this.claim(ticket, request)
    if ("status" in claimed) return claimed
    const answer = await handler(request)
    const end = this.atEnd(request, ticket)
    const mine = end === ticket ? claimed : { ...claimed, ...end }
    if (answer.status === 503) {
      if (this.mayRelease(mine)) this.claims.delete(end.key)
      return answer
    }
    if (end === ticket && !this.mayComplete(mine)) return this.overtaken(end, answer)
    this.put(this.completed(mine, answer))
    return answer
  }
  async advance(milliseconds: number): Promise<void> {
    this.now += milliseconds
  }
  holdTakeover() {
    return (this.takeover = held())
  }
  loseAnswer(): void {
    this.loses = true
  }
  async cleanUp(): Promise<void> {
    for (const [key, claim] of this.claims) if (this.isExpired(claim)) this.claims.delete(key)
  }
  async rows(): Promise<number> {
    return this.claims.size
  }
  async close(): Promise<void> {}
}
