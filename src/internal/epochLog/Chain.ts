/** What a store does with slots, and what is read from them. */
import * as Lease from "../../Lease.ts"
import type { Chain, Command, Parameters, Row } from "./Data.ts"

/** All that a store needs to know of the parameters. */
type Governed = Pick<Parameters, "rules">

/** The chain in the rows of a key, whatever their order; undefined where slot 0 is free. */
export const chainOf = <C>(parameters: Governed, rows: ReadonlyArray<Row<C>>): Chain<C> | undefined => {
  // Most come in order.
  const at = (slot: number) => (rows[slot]?.slot === slot ? rows[slot] : rows.find((row) => row.slot === slot))
  const base = at(0)
  if (base === undefined) return undefined
  const chain = [base]
  for (let next = at(1); next !== undefined; next = at(chain.length)) {
    if (parameters.rules.chainByGeneration && next.generation !== base.generation)
      return { rows: chain, steps: stepsOf(chain), garbage: next }
    chain.push(next)
  }
  return { rows: chain, steps: stepsOf(chain), garbage: undefined }
}

const stepsOf = <C>(rows: ReadonlyArray<Row<C>>): ReadonlyArray<Row<C>> => rows.filter(({ kind }) => kind === "step")

export const baseOf = <C>({ rows }: Chain<C>): Row<C> => rows[0]!
export const topOf = <C>({ rows }: Chain<C>): Row<C> => rows.at(-1)!

/** A row with another generation, of which the list says that it may still live: it shows two moments at once. */
export const isTorn = <C>({ garbage }: Chain<C>, now: number): boolean =>
  garbage !== undefined && !Lease.isExpired(garbage.expiresAt, now)

/** The rule of every store: a slot is written once. Answers the rows afterwards, undefined where the slot is taken. */
export const place = <C>(
  parameters: Governed,
  rows: ReadonlyArray<Row<C>>,
  row: Row<C>
): ReadonlyArray<Row<C>> | undefined => {
  if (rows.length === 0 || !rows.some(({ slot }) => slot === row.slot)) return [...rows, row]
  return parameters.rules.createOnce ? undefined : [...rows.filter(({ slot }) => slot !== row.slot), row]
}

/** Whether a deletion takes a row of the key. */
export const takes = <C>(
  parameters: Governed,
  command: Extract<Command<C>, { readonly _tag: "DeleteGeneration" | "DeleteRow" }>,
  row: Row<C>
): boolean =>
  (command._tag === "DeleteGeneration" || row.slot === command.slot) &&
  (!parameters.rules.deleteByGeneration || row.generation === command.generation)

/** Whether the clean-up takes a row. */
export const isPurged = <C>(row: Row<C>, now: number): boolean => row.purgeAt < now
