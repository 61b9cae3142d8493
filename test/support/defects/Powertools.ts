/** Small stores, each with one defect of `@aws-lambda-powertools/idempotency` 2.35 on Redis, and how it comes about. */
import { type Answer, type Handler, type Request, type Response, times } from "./Subject.ts"
import { type Claim, refusal, Sound, type Ticket } from "./Sound.ts"

/** The completion writes a record without the fingerprint, which the next request is compared with. */
class ForgetsFingerprint extends Sound {
  protected override completed(mine: Claim, answer: Response): Claim {
    return { ...super.completed(mine, answer), fingerprint: "" }
  }
}

/** The completion is a plain SET. */
class CompletesUnfenced extends Sound {
  protected override mayComplete(): boolean {
    return true
  }
}

/** A failure is a plain DEL. */
class ReleasesUnfenced extends Sound {
  protected override mayRelease(): boolean {
    return true
  }
}

/** A takeover is a plain SET under a lock of ten seconds, which a contender may outsleep. */
class LocksTakeover extends Sound {
  readonly #locks = new Map<string, number>()
  protected override async takeOver(ticket: Ticket, request: Request): Promise<Answer | Claim> {
    if (this.now < (this.#locks.get(ticket.key) ?? 0)) return refusal(409, "in-progress")
    this.#locks.set(ticket.key, this.now + 10_000)
    const { takeover } = this
    this.takeover = undefined
    await takeover?.pass()
    return this.put(this.fresh(ticket, request))
  }
}

/** A claim has a lease only where the time that the function has left is known; one without counts as an orphan. */
class LeaseByContext extends Sound {
  protected override leaseOf(request: Request): number {
    return request.hasDeadline ? super.leaseOf(request) : this.now - times.margin - 1
  }
}

/** The key is a hash of the payload, and is made anew for the completion. */
class HashesAgain extends Sound {
  protected override keyOf(request: Request): string {
    return request.body
  }
  protected override atEnd(request: Request): Ticket {
    return { key: this.keyOf(request), fingerprint: this.fingerprintOf(request) }
  }
}

/** What tells operations apart is kept in the store, which all operations share; the last to begin wins. */
class SharedOperation extends Sound {
  #operation = ""
  protected override keyOf({ key }: Request): string {
    return JSON.stringify([this.#operation, key])
  }
  protected override atEnd(request: Request, { fingerprint }: Ticket): Ticket {
    return { key: this.keyOf(request), fingerprint }
  }
  override async call(request: Request, handler: Handler): Promise<Answer> {
    this.#operation = request.operation
    return super.call(request, handler)
  }
}

export const defects: Readonly<Record<string, () => Sound>> = {
  "a replay with payload validation fails": () => new ForgetsFingerprint(),
  "a zombie overwrites the new owner's result": () => new CompletesUnfenced(),
  "a failing zombie deletes a completed record": () => new ReleasesUnfenced(),
  "a contender stalled over 10 s overwrites a completed result": () => new LocksTakeover(),
  "two concurrent calls without context both run": () => new LeaseByContext(),
  "a handler mutating its input runs twice": () => new HashesAgain(),
  "nested operations on one store swap results": () => new SharedOperation()
}
