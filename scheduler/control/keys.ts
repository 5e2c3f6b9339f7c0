// Which edges a bearer key belongs to. A connection of an edge carries one key, each second: what was found of it is
// remembered for as long as the connection lives.
import { timingSafeEqual } from 'node:crypto'
import { hashKey, keyMatches } from '../../src/key.ts'
import type { EdgeView, Topology } from '../topology.ts'

const BEARER = /^Bearer ([\x21-\x7e]{1,256})$/i

interface Known {
  readonly authorization: Buffer
  readonly holders: readonly EdgeView[]
}

export class KeyCheck {
  readonly #topology: Topology
  /** By connection, the last right key; bounded by the listener's connections. */
  readonly #known = new WeakMap<object, Known>()

  constructor(topology: Topology) {
    this.#topology = topology
  }

  /** Usually one edge; none for a wrong or missing key. */
  findHolders(connection: object, authorization = ''): readonly EdgeView[] {
    const given = Buffer.from(authorization)
    const known = this.#known.get(connection)
    // In constant time, too: a proxy may send a stranger's guess over a connection that an edge has used.
    if (known?.authorization.length === given.length && timingSafeEqual(known.authorization, given)) {
      return known.holders
    }
    const holders = this.#holdersOf(authorization)
    if (holders.length > 0) this.#known.set(connection, { authorization: given, holders })
    return holders
  }

  /**
   * The look-up is by the key's hash, so its time tells nothing of any key; the comparison that decides takes
   * constant time.
   */
  #holdersOf(authorization: string): readonly EdgeView[] {
    const key = BEARER.exec(authorization)?.[1]
    if (key === undefined) return []
    const holders = this.#topology.edgesByKeyHash.get(hashKey(key)) ?? []
    return holders.filter((edge) => keyMatches(key, edge.keyHash))
  }
}
