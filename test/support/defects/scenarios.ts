/**
 * One scenario for each defect that released packages have. Each fails by an `AssertionError` on what has the defect,
 * and passes on what has not.
 */
import assert from "node:assert/strict"
import { type Answer, answering, request, response, type Subject, times, waiting } from "./Subject.ts"

export interface Scenario {
  /** Where it was seen. */
  readonly seen: "Powertools 2.35" | "node-idempotency 1.0.11" | "others"
  readonly title: string
  /** What holds instead. */
  readonly instead: string
  readonly play: (subject: Subject) => Promise<void>
}

/** Past every lease that was taken until now. */
const leaseOver = times.lease + times.margin + 1
/** Past every key that was claimed until now. */
const keyOver = times.ttl + times.margin + 1

const kept = ({ body, status }: Answer) => ({ body, status })

/** A scenario does not come about: what is played on never lets it come so far. */
class NotShown extends Error {}

/** A call and its repetition: one run, and the same answer. */
const repeats = async (subject: Subject, first = request(), second = request()) => {
  const { handler, runs } = answering(response("1"))
  const answers = [await subject.call(first, handler), await subject.call(second, handler)] as const
  assert.deepEqual(
    answers.map(kept),
    answers.map(() => ({ body: "1", status: 201 }))
  )
  assert.equal(runs(), 1, "the handler ran twice")
  return answers
}

/** An owner that stands still in its handler for `milliseconds`; then another runs, and answers. */
const overtaken = async (subject: Subject, milliseconds: number, late = response("late")) => {
  const slow = waiting(late)
  const stalled = subject.call(request(), slow.handler)
  await slow.started
  await subject.advance(milliseconds)
  const next = answering(response("next"))
  const { body } = await subject.call(request(), next.handler)
  slow.release()
  if (body !== "next") throw new NotShown("nobody overtakes an owner that stands still")
  return { answer: await stalled, again: () => subject.call(request(), next.handler), runs: next.runs }
}

const crash = async (subject: Subject) => {
  const dead = waiting(response("never"))
  // It never answers; that it is ended with its subject is not of interest.
  void subject.call(request(), dead.handler).catch(() => undefined)
  await dead.started
}

/** Of two at once, the second is told to wait. */
const refusesSecond = async (subject: Subject, made: () => ReturnType<typeof request>) => {
  const slow = waiting(response("1"))
  const first = subject.call(made(), slow.handler)
  await slow.started
  const other = answering(response("2"))
  const { status } = await subject.call(made(), other.handler)
  slow.release()
  assert.equal(other.runs(), 0, "two handlers ran at once")
  assert.equal(status, 409)
  assert.deepEqual(kept(await first), { body: "1", status: 201 })
}

const powertools: ReadonlyArray<Omit<Scenario, "seen">> = [
  {
    title: "a replay with payload validation fails",
    instead: "a completed record keeps its fingerprint",
    play: async (subject) => {
      await repeats(subject)
    }
  },
  {
    title: "a zombie overwrites the new owner's result",
    instead: "the new owner's result stays",
    play: async (subject) => {
      const { again, runs } = await overtaken(subject, leaseOver)
      assert.equal((await again()).body, "next")
      assert.equal(runs(), 1)
    }
  },
  {
    title: "a failing zombie deletes a completed record",
    instead: "a release of an owner that was overtaken does nothing",
    play: async (subject) => {
      const { again, runs } = await overtaken(subject, leaseOver, response("try again", 503))
      assert.equal((await again()).body, "next")
      assert.equal(runs(), 1, "the completed request ran again")
    }
  },
  {
    title: "a contender stalled over 10 s overwrites a completed result",
    instead: "its claim comes too late, and it replays",
    play: async (subject) => {
      await crash(subject)
      await subject.advance(leaseOver)
      const { reached, release } = subject.holdTakeover()
      const stalled = answering(response("stalled"))
      const contender = subject.call(request(), stalled.handler)
      const isStalled = await Promise.race([reached.then(() => true), contender.then(() => false)])
      if (!isStalled) throw new NotShown("nobody takes the key of an owner that is dead")
      await subject.advance(10_001)
      const next = answering(response("next"))
      assert.equal((await subject.call(request(), next.handler)).body, "next")
      release()
      assert.equal((await contender).body, "next")
      assert.equal(stalled.runs(), 0, "a second handler ran")
      assert.equal((await subject.call(request(), next.handler)).body, "next")
    }
  },
  {
    title: "two concurrent calls without context both run",
    instead: "every claim has a lease, and the second is told to wait",
    play: (subject) => refusesSecond(subject, () => request({ hasDeadline: false }))
  },
  {
    title: "a handler mutating its input runs twice",
    instead: "key and fingerprint are of the request as it came",
    play: async (subject) => {
      let runs = 0
      const mutating = async (input: { body: string }) => {
        runs++
        input.body = '{"amount":2}'
        return response("1")
      }
      for (let time = 0; time < 2; time++)
        assert.deepEqual(kept(await subject.call(request(), mutating)), { body: "1", status: 201 })
      assert.equal(runs, 1, "the handler ran twice")
    }
  },
  {
    title: "nested operations on one store swap results",
    instead: "an operation has keys of its own, whatever runs inside its handler",
    play: async (subject) => {
      const inner = answering(response("inner"))
      let outer = 0
      const nesting = async () => {
        outer++
        await subject.call(request({ operation: "book" }), inner.handler)
        return response("outer")
      }
      for (let time = 0; time < 2; time++) {
        assert.equal((await subject.call(request(), nesting)).body, "outer")
        assert.equal((await subject.call(request({ operation: "book" }), inner.handler)).body, "inner")
      }
      assert.deepEqual([outer, inner.runs()], [1, 1])
    }
  }
]

const nodeIdempotency: ReadonlyArray<Omit<Scenario, "seen">> = [
  {
    title: "an owner's crash means 409 for 24 h",
    instead: "for a lease",
    play: async (subject) => {
      await crash(subject)
      await subject.advance(leaseOver)
      const next = answering(response("next"))
      assert.deepEqual(kept(await subject.call(request(), next.handler)), { body: "next", status: 201 })
    }
  },
  {
    title: "the memory adapter double-runs after the TTL",
    instead: "an expired key is claimed like a new one",
    play: async (subject) => {
      await subject.call(request(), answering(response("old")).handler)
      await subject.advance(keyOver)
      await refusesSecond(subject, request)
    }
  },
  {
    title: "another body while in progress gives 409, not 422",
    instead: "422: waiting would not help",
    play: async (subject) => {
      const slow = waiting(response("1"))
      const first = subject.call(request(), slow.handler)
      await slow.started
      const { status } = await subject.call(request({ body: '{"amount":2}' }), answering(response("2")).handler)
      slow.release()
      await first
      assert.equal(status, 422)
    }
  },
  {
    title: "another user with the same key gets the first user's response",
    instead: "a user has keys of his own",
    play: async (subject) => {
      assert.equal((await subject.call(request(), answering(response("ada's")).handler)).body, "ada's")
      const eve = answering(response("eve's"))
      assert.deepEqual(kept(await subject.call(request({ userId: "eve" }), eve.handler)), {
        body: "eve's",
        status: 201
      })
    }
  },
  {
    title: "a zombie overwrites",
    instead: "also past the end of its key, what was answered later stays",
    play: async (subject) => {
      const { again, runs } = await overtaken(subject, keyOver)
      assert.equal((await again()).body, "next")
      assert.equal(runs(), 1)
    }
  },
  {
    title: "a missing key gives the wrong code",
    instead: "400, and a problem that says that it is missing",
    play: async (subject) => {
      const { handler, runs } = answering(response("1"))
      const { problem, status } = await subject.call(request({ key: undefined }), handler)
      assert.deepEqual([status, problem, runs()], [400, "key-missing", 0])
    }
  },
  {
    title: "JSON key order counts as mismatch",
    instead: "the same JSON is the same request",
    play: async (subject) => {
      await repeats(subject, request(), request({ body: '{"currency":"EUR","amount":1}' }))
    }
  },
  {
    title: "an empty body (204) re-runs the handler",
    instead: "nothing is an answer too",
    play: async (subject) => {
      const { handler, runs } = answering({ status: 204, headers: {}, body: "" })
      for (let time = 0; time < 2; time++)
        assert.deepEqual(kept(await subject.call(request(), handler)), { body: "", status: 204 })
      assert.equal(runs(), 1, "the handler ran twice")
    }
  }
]

const others: ReadonlyArray<Omit<Scenario, "seen">> = [
  {
    title: "response headers are lost",
    instead: "they are replayed with the body",
    play: async (subject) => {
      const [first, second] = await repeats(subject)
      for (const { headers } of [first, second]) assert.equal(headers["location"], "/payments/1")
    }
  },
  {
    title: "a replay can't be told apart",
    instead: "it says that it is one",
    play: async (subject) => {
      const [first, second] = await repeats(subject)
      assert.deepEqual(
        [first.headers["idempotency-replayed"], second.headers["idempotency-replayed"]],
        [undefined, "true"]
      )
    }
  },
  {
    title: "a key is evicted by nobody",
    instead: "the clean-up removes what is over",
    play: async (subject) => {
      for (let n = 0; n < 10; n++) await subject.call(request({ key: `order-${n}` }), answering(response("1")).handler)
      await subject.cleanUp()
      assert.ok((await subject.rows()) >= 10)
      await subject.advance(keyOver + 3_600_000)
      await subject.cleanUp()
      assert.equal(await subject.rows(), 0)
    }
  },
  {
    title: "one TTL for lock and record",
    instead: "a record stays long after its lease would have ended, and a lease ends long before its record",
    play: async (subject) => {
      await crash(subject)
      await subject.advance(leaseOver)
      const next = answering(response("next"))
      assert.equal((await subject.call(request(), next.handler)).body, "next", "the lock lives as long as a record")
      await subject.advance(10 * leaseOver)
      assert.equal((await subject.call(request(), next.handler)).body, "next")
      assert.equal(next.runs(), 1, "the record lives no longer than a lock")
    }
  },
  {
    title: "a retried write sees its own record as a conflict",
    instead: "it looks whose record it is",
    play: async (subject) => {
      const { handler, runs } = answering(response("1"))
      subject.loseAnswer()
      let answer = await subject.call(request(), handler)
      // Some fail, and leave it to the client to try again.
      if (answer.status >= 500) answer = await subject.call(request(), handler)
      assert.deepEqual(kept(answer), { body: "1", status: 201 })
      assert.equal(runs(), 1)
    }
  },
  {
    title: "a stale completion is sent to its client",
    instead: "its client gets the answer that counts",
    play: async (subject) => {
      const { answer } = await overtaken(subject, leaseOver)
      assert.equal(answer.body, "next")
    }
  }
]

export const scenarios: ReadonlyArray<Scenario> = [
  ...powertools.map((one): Scenario => ({ ...one, seen: "Powertools 2.35" })),
  ...nodeIdempotency.map((one): Scenario => ({ ...one, seen: "node-idempotency 1.0.11" })),
  ...others.map((one): Scenario => ({ ...one, seen: "others" }))
]

/** Whether a subject has the defect. What fails otherwise than by the scenario's own checks is no evidence. */
export const played = async (
  { play }: Scenario,
  subject: Subject
): Promise<"has it" | "has it not" | "can't be shown"> => {
  try {
    await play(subject)
    return "has it not"
  } catch (error) {
    if (error instanceof assert.AssertionError) return "has it"
    if (error instanceof NotShown) return "can't be shown"
    throw error
  } finally {
    await subject.close()
  }
}
