// Names of origins, looked up anew for each probe. A resolver that says nothing holds a thread that files need too: few
// are asked at once, and whoever wants a name that is being asked for waits for that answer.
import { lookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { LOOKUPS_AT_ONCE, LOOKUP_WAITERS_MAX } from './limits.ts'

type Done = Parameters<LookupFunction>[2]

interface Wanted {
  readonly host: string
  readonly family: number
  readonly waiters: Done[]
}

export class ProbeLookups {
  readonly #wanted = new Map<string, Wanted>()
  readonly #queue: Wanted[] = []
  #underWay = 0

  readonly lookup: LookupFunction = (host, { family }, done) => {
    const version = family === 6 || family === 'IPv6' ? 6 : 4
    const key = `${version} ${host}`
    const known = this.#wanted.get(key)
    if (known !== undefined) {
      // Those before it have given up by now, but for the last.
      if (known.waiters.length >= LOOKUP_WAITERS_MAX) done(tooMany(host), '', 0)
      else known.waiters.push(done)
      return
    }
    const wanted: Wanted = { host, family: version, waiters: [done] }
    this.#wanted.set(key, wanted)
    this.#queue.push(wanted)
    this.#next()
  }

  #next(): void {
    if (this.#underWay >= LOOKUPS_AT_ONCE) return
    const wanted = this.#queue.shift()
    if (wanted === undefined) return
    this.#underWay += 1
    lookup(wanted.host, { family: wanted.family }, (error, address, family) => {
      this.#underWay -= 1
      this.#wanted.delete(`${wanted.family} ${wanted.host}`)
      for (const done of wanted.waiters) done(error, address, family)
      this.#next()
    })
  }
}

/** This machine's fault, not the origin's. */
function tooMany(host: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${host} is still being looked up`), { code: 'EAI_AGAIN' })
}
