// What the token check of a property costs a request, for each scheme as an owner would configure it: of a token that
// is new to the daemon, and of one that it remembers, as of a player's next request for the same.
// `node bench/token-gate.ts`, about twenty seconds, prints a table and writes results/token-gate.json.
import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createScheme } from '../src/access/create-scheme.ts'
import { GrantKeys } from '../src/access/grant.ts'
import { signUrlTarget } from '../src/access/sign-url.ts'
import { TokenGate } from '../src/access/token-gate.ts'
import { systemClock } from '../src/clock.ts'
import { IN_FILE } from '../src/config/scalar-form.ts'
import { tokensSchema } from '../src/config/token-schema.ts'
import { describeMachine } from './lib/machine.ts'
import { median, round } from './lib/stats.ts'
import { formatTable } from './lib/table.ts'

const RESULT = fileURLToPath(new URL('results/token-gate.json', import.meta.url))
const TARGETS = 2000
const ROUNDS = 9
const KEY = '7a5c2be9f42a1f32cd889d1cf775f05d0cd162bd2871d00fe705ab28c9bba5a5'

const elliptic = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const secret = elliptic.privateKey.export({ type: 'pkcs8', format: 'pem' })
const byHmac = [{ algorithm: 'HS256', secret: KEY }]
const byCurve = [{ algorithm: 'ES256', secret }]

const SETTINGS: Record<string, object> = {
  'type-a': { scheme: 'type-a', keys: [KEY] },
  'type-b': { scheme: 'type-b', keys: [KEY] },
  'type-c': { scheme: 'type-c', keys: [KEY] },
  'type-d': { scheme: 'type-d', keys: [KEY] },
  'secure-link': { scheme: 'secure-link', keys: [KEY] },
  hdnts: { scheme: 'hdnts', keys: [KEY] },
  'uri-signing, HS256': { scheme: 'uri-signing', keys: byHmac },
  'uri-signing, ES256': { scheme: 'uri-signing', keys: byCurve },
  'cat, HS256': { scheme: 'cat', keys: byHmac },
  'cat, ES256': { scheme: 'cat', keys: byCurve },
}

const nowMs = systemClock.now()
const base = {
  scheme: 'https',
  host: 'shows.example.com',
  method: 'GET',
  address: '192.0.2.7',
  nowMs,
  header: () => undefined,
} as const

async function measure(name: string, given: object) {
  const settings = tokensSchema(IN_FILE).parse(given)
  const options = { nowMs, origin: 'https://shows.example.com' }
  const signed = await Promise.all(
    Array.from({ length: TARGETS }, (_, i) => signUrlTarget(settings, `/ep1/v0/segment-${i}.m4s`, options)),
  )
  const fresh: number[] = []
  const remembered: number[] = []
  for (let turn = 0; turn <= ROUNDS; turn++) {
    const gate = new TokenGate({
      propertyId: 'shows',
      scheme: createScheme(settings, ['shows.example.com']),
      grants: new GrantKeys('shows', [KEY]),
      skewMs: 0,
      isFree: () => false,
    })
    // oxlint-disable-next-line no-await-in-loop -- one after the other is what is measured
    const costs = [await pass(gate, signed, name), await pass(gate, signed, name)]
    // The first round compiles.
    if (turn > 0) {
      fresh.push(costs[0] ?? Number.NaN)
      remembered.push(costs[1] ?? Number.NaN)
    }
  }
  return {
    scheme: name,
    microseconds: { new: round(median(fresh), 2), remembered: round(median(remembered), 2) },
  }
}

/** Processor time a request. */
async function pass(gate: TokenGate, targets: readonly string[], name: string): Promise<number> {
  const before = process.cpuUsage()
  for (const target of targets) {
    const query = { ...base, target }
    const presented = gate.take(query)
    const judged = gate.judge(presented, { ...query, target: presented.grant.target })
    // oxlint-disable-next-line no-await-in-loop
    const { refusal } = judged instanceof Promise ? await judged : judged
    if (refusal !== null) throw new Error(`${name}: ${refusal}`)
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / targets.length
}

const results = []
// oxlint-disable-next-line no-await-in-loop
for (const [name, given] of Object.entries(SETTINGS)) results.push(await measure(name, given))
const result = { machine: describeMachine(), targets: TARGETS, rounds: ROUNDS, results }
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
const rows = results.map(({ scheme, microseconds }) =>
  [scheme, microseconds.new, microseconds.remembered].map(String),
)
process.stdout.write(`${formatTable([['µs a request', 'new', 'remembered'], ...rows])}\n`)
