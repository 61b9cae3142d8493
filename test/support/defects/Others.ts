/** Small stores, each with one defect that was seen elsewhere, and how it comes about. */
import { type Answer, type Request, type Response, times } from "./Subject.ts"
import { type Claim, refusal, Sound, type Ticket } from "./Sound.ts"

/** Status and body are kept, and nothing else. */
class LosesHeaders extends Sound {
  protected override completed(mine: Claim, answer: Response): Claim {
    return super.completed(mine, { ...answer, headers: {} })
  }
}

/** A replay is the first answer, and nothing else. */
class Unmarked extends Sound {
  protected override replay(answer: Response): Answer {
    return answer
  }
}

/** What is over is removed when somebody asks for it, and nobody does. */
class KeepsForEver extends Sound {
  override async cleanUp(): Promise<void> {}
}

/** What frees the key of a dead owner soon forgets an answer as soon. */
class OneTtl extends Sound {
  protected override expiryOf(): number {
    return this.now + times.lease
  }
}

/** A write without an answer is sent again, and its own record is taken for another's. */
class RetriesBlindly extends Sound {
  protected override begin(ticket: Ticket, request: Request, expired: Claim | undefined): Answer | Claim {
    const { loses } = this
    const mine = super.begin(ticket, request, expired)
    return loses ? refusal(409, "in-progress") : mine
  }
}

/** The handler's result goes to the client, whatever became of its record. */
class SendsStale extends Sound {
  protected override overtaken(_ticket: Ticket, own: Response): Answer {
    return own
  }
}

export const defects: Readonly<Record<string, () => Sound>> = {
  "response headers are lost": () => new LosesHeaders(),
  "a replay can't be told apart": () => new Unmarked(),
  "a key is evicted by nobody": () => new KeepsForEver(),
  "one TTL for lock and record": () => new OneTtl(),
  "a retried write sees its own record as a conflict": () => new RetriesBlindly(),
  "a stale completion is sent to its client": () => new SendsStale()
}
