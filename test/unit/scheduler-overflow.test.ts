// Properties with a cap: how many of their new clients go to another CDN, which, and with what; and that the rate
// settles near the cap, whatever its sessions are like.
import t from 'tap'
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import { ExpectedLoad } from '../../scheduler/choose/expected-load.ts'
import { isOverflow, overflowShareOf } from '../../scheduler/choose/overflow.ts'
import { hash64 } from '../../src/rendezvous.ts'
import { withoutAvoided } from '../../scheduler/query.ts'
import { parseIp } from '../../src/net/ip.ts'
import type { IpAddress } from '../../src/net/ip.ts'
import { NOW_MS, choosing, site } from '../kit/choosing.ts'
import type { Said } from '../kit/choosing.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { chanceOf, exponential } from '../sim/chance.ts'

const OVERFLOW = { above: '1Gbit', to: 'https://other.example.com/cdn/' }

function capped(megabits: number, reports: Record<string, Said> = {}, property: object = {}) {
  const cluster = {
    sites: [site('paris'), site('rome')],
    edges: [edgeEntry('par', 'paris'), edgeEntry('rom', 'rome')],
    property: { overflow: OVERFLOW, ...property },
  }
  const demand = new DemandTracker({ edges: 2, properties: 1 })
  const properties = [{ id: 'shows', bitRate: (megabits / 2) * 1e6 }]
  const { decide } = choosing(cluster, {
    demand,
    reports: { par: { properties }, rom: { properties }, ...reports },
  })
  const { snapshot } = decide({ method: 'POST' })
  demand.hear(snapshot, NOW_MS)
  return { decide, demand }
}

const peerOf = (i: number) => ({ peer: `198.${18 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}` })

t.test('the share grows evenly from 0.85 of the cap to the cap', async (t) => {
  const shares = [0, 0.85, 0.865, 0.925, 1, 7].map((filled) => overflowShareOf(filled * 1e9, 1e9))
  t.same(
    shares.map((share) => Math.round(share * 1000) / 1000),
    [0, 0, 0.1, 0.5, 1, 1],
  )
})

t.test('as it grows, clients join those that go elsewhere already', async (t) => {
  const key = hash64('shows/a/')
  const clients = Array.from({ length: 2000 }, (_, i) => parseIp(peerOf(i).peer))
  let before: readonly (IpAddress | undefined)[] = []
  for (const share of [0, 0.1, 0.5, 0.9, 1]) {
    const gone = clients.filter((one) => isOverflow(share, key, one))
    t.ok(Math.abs(gone.length / clients.length - share) < 0.03, `${gone.length}`)
    t.ok(before.every((one) => gone.includes(one)))
    before = gone
  }
})

t.test('above its cap a property’s new clients go elsewhere, with what they asked for', async (t) => {
  const { decide } = capped(1200)
  const { answer, chosen } = decide({
    path: '/~shows/a/caf\xe9.m3u8',
    search: '?token=1&~not=par&x=2',
    origin: 'https://p.example',
  })
  t.match(answer, { outcome: 'overflow', status: 302, body: '' })
  t.equal(answer.extra[1], 'https://other.example.com/cdn/a/caf%E9.m3u8?token=1&x=2')
  t.ok(answer.extra.includes('Access-Control-Allow-Origin'))
  t.equal(chosen, undefined)
  t.equal(decide({ method: 'HEAD' }).answer.outcome, 'overflow')
  t.equal(decide({ method: 'OPTIONS' }).answer.outcome, 'preflight')
})

t.test('near it some do, below it nobody', async (t) => {
  const { decide } = capped(925)
  const outcomes = new Set(Array.from({ length: 40 }, (_, i) => decide(peerOf(i)).answer.outcome))
  t.same(outcomes, new Set(['overflow', 'redirect']))
  t.equal(capped(840).decide().answer.outcome, 'redirect')
  t.equal(capped(1200, {}, { overflow: undefined }).decide().answer.outcome, 'redirect', 'without a cap')
})

t.test('clients assigned since the last report count', async (t) => {
  const { decide } = capped(800)
  const outcomes = Array.from({ length: 100 }, (_, i) => decide(peerOf(i)).answer.outcome)
  t.equal(outcomes[0], 'redirect')
  const sent = outcomes.filter((outcome) => outcome === 'redirect').length
  t.ok(sent > 10 && sent < 40, `200 Mbit/s are 40 sessions: ${sent} are sent`)
})

t.test('an edge that is down sends nothing', async (t) => {
  const { decide } = capped(1200, { rom: { ageMs: 6000 } })
  t.equal(decide().answer.outcome, 'redirect')
})

t.test('where no edge can serve, they go there too', async (t) => {
  const { decide } = capped(0, { par: { ageMs: 6000 }, rom: { state: 'draining' } })
  t.match(decide().answer, { outcome: 'overflow', status: 302 })
  const none = capped(0, { par: { ageMs: 6000 }, rom: { ageMs: 6000 } }, { overflow: undefined })
  t.match(none.decide().answer, { outcome: 'no-edge', status: 503 })
})

t.test('rules are judged first', async (t) => {
  const { decide } = capped(1200, {}, { access: { referer: { allow: ['page.example.com'], empty: 'deny' } } })
  t.match(decide().answer, { outcome: 'denied', status: 403 })
})

t.test('an edge’s word to the scheduler is taken off', async (t) => {
  t.equal(withoutAvoided('/a?~not=gz-1'), '/a')
  t.equal(withoutAvoided('/a?x=1&~not=gz-1&&y'), '/a?x=1&&y')
  t.equal(withoutAvoided('/a~not=b?x~not=1'), '/a~not=b?x~not=1')
  t.equal(withoutAvoided('/~not='), '/~not=')
})

t.test('the rate settles near the cap', async (t) => {
  const cases = [
    { offered: 1.5, sessionS: 30, lateS: 1 },
    { offered: 3, sessionS: 30, lateS: 4 },
    { offered: 3, sessionS: 600, lateS: 2 },
    { offered: 10, sessionS: 120, lateS: 2 },
  ]
  for (const load of cases) {
    const { lowest, highest, meanSquare } = simulate(load)
    const about = `${JSON.stringify(load)}: ${lowest} to ${highest}, ${meanSquare}`
    t.ok(lowest > 0.83 && highest < 1, about)
    t.ok(meanSquare < 0.02, about)
  }
  const { lowest, highest } = simulate({ offered: 0.8, sessionS: 60, lateS: 1 })
  t.ok(lowest > 0.7 && highest < 0.85, `below the cap all are taken: ${lowest} to ${highest}`)
})

interface SimulatedLoad {
  /** Times the cap, if all were taken. */
  offered: number
  sessionS: number
  /** How late reports tell. */
  lateS: number
}

/** Of the cap: the rate in the second half of its time, and how far it is from its mean. */
function simulate({ offered, sessionS, lateS }: SimulatedLoad) {
  const sessionsAtCap = 2000
  const bitRate = 5e6
  const cap = sessionsAtCap * bitRate
  const random = chanceOf(1, 'sessions')
  const key = hash64('shows/premiere/')
  const expected = new ExpectedLoad(1)
  const ends: number[] = []
  const history: number[] = []
  let sessions = 0
  let dueMs = 0
  const untilS = Math.max(300, 5 * sessionS)
  const pauseMs = (1000 * sessionS) / (offered * sessionsAtCap)
  for (let second = 0; second < untilS; second++) {
    history.push(sessions * bitRate)
    const reported = history[Math.max(0, second - lateS)] ?? 0
    for (; dueMs < (second + 1) * 1000; dueMs += exponential(random, pauseMs)) {
      const share = overflowShareOf(reported + expected.sessionsOn(0, dueMs) * bitRate, cap)
      const client = { family: 4, a: 0, b: 0, c: 0xffff, d: random() * 2 ** 32 } as const
      if (isOverflow(share, key, client)) continue
      expected.note(0, dueMs)
      sessions++
      const end = second + 1 + Math.floor(exponential(random, sessionS))
      ends[end] = (ends[end] ?? 0) + 1
    }
    sessions -= ends[second] ?? 0
  }
  const settled = history.slice(untilS / 2).map((rate) => rate / cap)
  const mean = settled.reduce((sum, rate) => sum + rate, 0) / settled.length
  const variance = settled.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / settled.length
  return { lowest: Math.min(...settled), highest: Math.max(...settled), meanSquare: Math.sqrt(variance) }
}
