// What one verification of a signed URL costs, scheme by scheme: taking the token off, authenticating it, judging what
// it claims, nothing remembered; beside it the hash alone, which tells more of another machine than microseconds do.
// `node bench/token.ts`, ten seconds, prints a table and writes results/token.json. The goal is under 20 us.
import { createHmac, hash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../src/clock.ts'
import { createHdnts, signHdnts } from '../src/token/hdnts.ts'
import { createSecureLink, signSecureLink } from '../src/token/secure-link.ts'
import type { SignOptions } from '../src/token/signing.ts'
import { judgeClaims } from '../src/token/token.ts'
import type { TokenQuery, TokenScheme } from '../src/token/token.ts'
import { createTypeA, signTypeA } from '../src/token/type-a.ts'
import { createTypeB, signTypeB } from '../src/token/type-b.ts'
import { createTypeC, signTypeC } from '../src/token/type-c.ts'
import { createTypeD, signTypeD } from '../src/token/type-d.ts'
import { describeMachine } from './lib/machine.ts'
import { median, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'

const RESULT = fileURLToPath(new URL('results/token.json', import.meta.url))
const GOAL_MICROSECONDS = 20
const TARGETS = 256
const CALLS = 20_000
const ROUNDS = 15

const keys = ['7a5c2be9f42a1f32cd889d1cf775f05d0cd162bd2871d00fe705ab28c9bba5a5']
/** As in the middle of a rotation, twice over: the token is by the last. */
const fourKeys = ['00', '01', '02'].map((byte) => byte.repeat(32)).concat(keys)
const link = { expression: '$secure_link_expires$uri$remote_addr $key' }
const nowMs = systemClock.now()

interface Contender {
  name: string
  hash: keyof typeof HASHES
  /** For one address. */
  bound?: true
  sign(target: string, options: SignOptions): string
  create(live: readonly string[]): TokenScheme
}

/** One hash of a text as long as those that are signed. */
const TEXT = Buffer.from('/live/news/2026/720p/segment-100.m4s-1767225600-0-0-'.padEnd(116, 'k'))
const HASHES = {
  md5: () => hash('md5', TEXT, 'hex'),
  sha256: () => hash('sha256', TEXT, 'hex'),
  hmac: () => createHmac('sha256', TEXT).update(TEXT).digest('hex'),
} as const

const CONTENDERS: readonly Contender[] = [
  {
    name: 'type-a',
    hash: 'md5',
    sign: (...on) => signTypeA({ keys }, ...on),
    create: (live) => createTypeA({ keys: live }),
  },
  {
    name: 'type-a, sha256',
    hash: 'sha256',
    sign: (...on) => signTypeA({ keys, hash: 'sha256' }, ...on),
    create: (live) => createTypeA({ keys: live, hash: 'sha256' }),
  },
  {
    name: 'type-b',
    hash: 'md5',
    sign: (...on) => signTypeB({ keys }, ...on),
    create: (live) => createTypeB({ keys: live }),
  },
  {
    name: 'type-c',
    hash: 'md5',
    sign: (...on) => signTypeC({ keys }, ...on),
    create: (live) => createTypeC({ keys: live }),
  },
  {
    name: 'type-d',
    hash: 'md5',
    sign: (...on) => signTypeD({ keys }, ...on),
    create: (live) => createTypeD({ keys: live }),
  },
  {
    name: 'secure-link',
    bound: true,
    hash: 'md5',
    sign: (...on) => signSecureLink({ keys, ...link }, ...on),
    create: (live) => createSecureLink({ keys: live, ...link }),
  },
  {
    name: 'hdnts, acl',
    bound: true,
    hash: 'hmac',
    sign: (target, options) => signHdnts({ keys }, target, { ...options, acl: '/vod/*!/live/news/*' }),
    create: (live) => createHdnts({ keys: live }),
  },
  {
    name: 'hdnts, url',
    bound: true,
    hash: 'hmac',
    sign: (...on) => signHdnts({ keys }, ...on),
    create: (live) => createHdnts({ keys: live }),
  },
]

const address = '2001:db8::7'
const queryBase = {
  scheme: 'https',
  host: 'cdn.example.com',
  method: 'GET',
  address,
  nowMs,
  header: () => undefined,
} as const

function signedQueries(contender: Contender): TokenQuery[] {
  return Array.from({ length: TARGETS }, (_, i) => {
    const bare = `/live/news/2026/720p/segment-${i}.m4s?CMCD=bl%3D21300%2Cbr%3D3200`
    return { ...queryBase, target: contender.sign(bare, contender.bound ? { nowMs, address } : { nowMs }) }
  })
}

function admits(scheme: TokenScheme, query: TokenQuery): boolean {
  const taken = scheme.take(query)
  if (taken.token === null) return false
  const found = scheme.authenticate(taken.token, taken, query)
  if (typeof found === 'string' || found instanceof Promise) return false
  return judgeClaims(found, taken.target, query, 0) === null
}

/** Microseconds of processor time a call: the middle of the rounds. `call` says whether all went as it should. */
function measure(name: string, call: (i: number) => boolean): number {
  const costs: number[] = []
  for (let turn = 0; turn <= ROUNDS; turn++) {
    const before = process.cpuUsage()
    let right = 0
    for (let i = 0; i < CALLS; i++) if (call(i)) right++
    const { user, system } = process.cpuUsage(before)
    if (right !== CALLS) throw new Error(`${name}: ${CALLS - right} verifications gave the wrong answer`)
    // The first round compiles.
    if (turn > 0) costs.push((user + system) / CALLS)
  }
  return round(median(costs), 2)
}

function resultOf(contender: Contender) {
  const { name } = contender
  const queries = signedQueries(contender)
  const cost = (scheme: TokenScheme, admitted: boolean) =>
    measure(name, (i) => {
      const query = queries[i % TARGETS]
      return query !== undefined && admits(scheme, query) === admitted
    })
  const hashAlone = measure(name, () => HASHES[contender.hash]().length > 0)
  const oneKey = cost(contender.create(keys), true)
  return {
    scheme: name,
    microseconds: {
      oneKey,
      fourKeys: cost(contender.create(fourKeys), true),
      refused: cost(contender.create(fourKeys.slice(0, 1)), false),
      hashAlone,
    },
    oneKeyInHashes: round(oneKey / hashAlone, 1),
  }
}

const machine = describeMachine()
const results = CONTENDERS.map(resultOf)
const result = { machine, goalMicroseconds: GOAL_MICROSECONDS, calls: CALLS, rounds: ROUNDS, results }
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
const header = ['us a verification', 'one key', 'four keys', 'refused', 'hash alone', 'in hashes']
const rows = results.map(({ scheme, microseconds, oneKeyInHashes }) =>
  [scheme, Object.values(microseconds), oneKeyInHashes].flat().map(String),
)
process.stdout.write(`${formatTable([header, ...rows])}\n`)
