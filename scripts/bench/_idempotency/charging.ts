/** What all contestants do: an order of a user is charged once for its key. */

export const operation = "charge"
export const userId = "ada"
export const payload = { amount: 1999, currency: "EUR", items: ["a", "b"], order: "order-17" }

export interface Receipt {
  readonly id: string
  readonly amount: number
}
let receipts = 0
export const charge = ({ amount }: typeof payload): Receipt => ({ id: `receipt-${receipts++}`, amount })

/** As a handler on promises is. */
export const chargeLater = async (order: typeof payload): Promise<Receipt> => charge(order)

export interface Contested {
  readonly call: (key: string) => Promise<unknown>
  /** Begins a request that never ends. */
  readonly claim: (key: string) => void
}
