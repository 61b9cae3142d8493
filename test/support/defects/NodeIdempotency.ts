/** Small stores, each with one defect of `@node-idempotency/core` 1.0.11, and how it comes about. */
import { type Answer, type Request, times } from "./Subject.ts"
import { type Claim, refusal, Sound, type Ticket } from "./Sound.ts"

/** A claim lives as long as a record. */
class LongLock extends Sound {
  protected override leaseOf(): number {
    return this.now + times.ttl
  }
}

/** Whoever finds an expired record deletes it, and runs without one of its own. */
class RunsUnclaimed extends Sound {
  protected override begin(ticket: Ticket, request: Request, expired: Claim | undefined): Answer | Claim {
    if (expired === undefined) return super.begin(ticket, request, expired)
    this.claims.delete(ticket.key)
    return this.fresh(ticket, request)
  }
}

/** Whether the first request runs is looked at before what it was. */
class RunningFirst extends Sound {
  protected override judge(found: Claim, ticket: Ticket): Answer | Claim | undefined {
    const isRunning = found.response === undefined && this.now <= found.lease + times.margin
    return isRunning ? refusal(409, "in-progress") : super.judge(found, ticket)
  }
}

/** The key is a key of everybody. */
class SharedKeys extends Sound {
  protected override keyOf({ key, operation }: Request): string {
    return JSON.stringify([operation, key])
  }
}

/** Past its record's end, nobody compares anything: the completion is a plain SET. */
class CompletesPastEnd extends Sound {
  protected override mayComplete(mine: Claim): boolean {
    return this.isExpired(mine) || super.mayComplete(mine)
  }
}

/** It has one code for a key that is missing and one that is too long. */
class WrongCode extends Sound {
  protected override missing(): Answer {
    return refusal(400, "key-invalid")
  }
}

/** The body is compared as it is written. */
class ComparesText extends Sound {
  protected override fingerprintOf({ body }: Request): string {
    return body
  }
}

/** A response that counts as false counts as none. */
class NothingIsNone extends Sound {
  protected override judge(found: Claim, ticket: Ticket): Answer | Claim | undefined {
    return found.response?.body === "" ? found : super.judge(found, ticket)
  }
}

export const defects: Readonly<Record<string, () => Sound>> = {
  "an owner's crash means 409 for 24 h": () => new LongLock(),
  "the memory adapter double-runs after the TTL": () => new RunsUnclaimed(),
  "another body while in progress gives 409, not 422": () => new RunningFirst(),
  "another user with the same key gets the first user's response": () => new SharedKeys(),
  "a zombie overwrites": () => new CompletesPastEnd(),
  "a missing key gives the wrong code": () => new WrongCode(),
  "JSON key order counts as mismatch": () => new ComparesText(),
  "an empty body (204) re-runs the handler": () => new NothingIsNone()
}
