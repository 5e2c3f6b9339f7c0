// GET /edge/v1/guidance and who is told of it: versions in replies to reports, held questions that are answered at once.
import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { addEventsRoute } from '../../scheduler/control/events-route.ts'
import { addGuidanceRoute } from '../../scheduler/control/guidance-route.ts'
import { MemoryEventLog } from '../../scheduler/events/memory-log.ts'
import { MemorySecrets } from '../../scheduler/guidance/memory-secrets.ts'
import { MemoryRegistry } from '../../scheduler/registry/memory.ts'
import { SnapshotHolder } from '../../scheduler/snapshot.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import { backgroundRunner } from '../../src/background.ts'
import { createService } from '../../src/http-service.ts'
import { silentLogger } from '../../src/log.ts'
import { eventsReplySchema } from '../../src/wire/events.ts'
import type { EventsReply } from '../../src/wire/events.ts'
import { guidanceSchema } from '../../src/wire/guidance.ts'
import { reportReplySchema } from '../../src/wire/report.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { fillingOf } from '../kit/filling.ts'
import { StillClock, edgeEntry, reportOf, schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { uniformPlaces } from '../kit/made-places.ts'
import { until } from '../kit/until.ts'

const SETTINGS = {
  sites: [{ id: 'hub' }, { id: 'north', parents: ['hub'] }, { id: 'south' }],
  edges: [
    edgeEntry('hub-1', 'hub'),
    edgeEntry('n-1', 'north'),
    edgeEntry('n-2', 'north', { weight: 3 }),
    edgeEntry('s-1', 'south'),
  ],
}

/** The routes of edges, with each edge's id as its key. */
function routesOf(t: TestScope) {
  const settings = schedulerSettings(SETTINGS)
  const topology = buildTopology(settings)
  const clock = new StillClock()
  // Not in the first hour of all, which none is before.
  clock.pass(36_000_000)
  const registry = new MemoryRegistry(clock)
  const snapshots = new SnapshotHolder(topology, uniformPlaces(), registry, {
    clock,
    log: silentLogger,
    probes: null,
  })
  const secrets = new MemorySecrets(clock)
  const filling = fillingOf(t, settings, { topology, snapshots, clock, secrets })
  snapshots.onReplace = (snapshot) => filling.hear(snapshot)
  const service = createService({ log: silentLogger, bodyBytesMax: 1000 })
  const guidance = () => filling.guidance
  const holdersOf = ({ headers }: { headers: { authorization?: string | undefined } }) =>
    topology.edges.filter(({ id }) => id === headers.authorization)
  addGuidanceRoute(service, { guidance, holdersOf })
  const wake = addEventsRoute(service, {
    events: new MemoryEventLog(clock),
    background: backgroundRunner(silentLogger),
    guidance,
    holdersOf,
  })
  t.teardown(async () => {
    wake()
    snapshots.close()
    await service.close()
  })
  const ask = (edge: string, url: string, headers: Record<string, string> = {}) =>
    service.inject({ url, headers: { authorization: edge, ...headers } })
  const guidanceOf = async (edge: string) =>
    guidanceSchema.parse((await ask(edge, `/edge/v1/guidance?edge=${edge}`)).json())
  const report = (id: string, over: Partial<EdgeReport> = {}) => registry.record(reportOf(id, over))
  const allReport = (over: Partial<EdgeReport> = {}) => {
    for (const { id } of topology.edges) report(id, over)
  }
  const events = async (edge: string, query = '') =>
    eventsReplySchema.parse((await ask(edge, `/edge/v1/events?edge=${edge}${query}`)).json())
  /** Asks again and again, as edges do: what else there is news of comes first. */
  const untilTold = async (edge: string, after: string, before: string | undefined): Promise<EventsReply> => {
    const reply = await events(edge, `&after=${after}`)
    return reply.guidanceVersion === before ? untilTold(edge, after, before) : reply
  }
  const next = (over: Record<string, unknown>) => {
    const changed = schedulerSettings({ ...SETTINGS, ...over })
    return fillingOf(t, changed, { topology: buildTopology(changed), snapshots, clock, secrets }, filling)
  }
  return { ask, guidanceOf, report, allReport, events, untilTold, filling, next, clock }
}

t.test('until it is known which edges there are, edges go on with what they have', async (t) => {
  const { ask, filling, allReport } = routesOf(t)
  t.same(
    reportReplySchema.parse(JSON.parse(filling.guidance.reportReplyAt('north'))).guidanceVersion,
    undefined,
  )
  t.equal((await ask('n-1', '/edge/v1/guidance?edge=n-1')).statusCode, 503)
  allReport()
  await until('all were heard', () => filling.guidance.versionAt('north') !== undefined)
  t.equal((await ask('n-1', '/edge/v1/guidance?edge=n-1')).statusCode, 200)

  const alone = routesOf(t)
  alone.clock.pass(3000)
  await until('some never come', () => alone.filling.guidance.versionAt('north') !== undefined)
  t.same((await alone.guidanceOf('n-1')).chains, [], 'nobody can be asked')
})

t.test('tiers of each site, the secrets, and an ETag', async (t) => {
  const { ask, guidanceOf, filling, allReport } = routesOf(t)
  allReport()
  await until('all were heard', () => filling.guidance.versionAt('north') !== undefined)
  const north = await guidanceOf('n-1')
  t.match(north, { site: 'north', origins: {} })
  t.equal(north.secrets.length, 6)
  t.same(north.chains, [
    {
      properties: ['shows', 'movies'],
      tiers: [
        { kind: 'peers', edges: ['n-1', 'n-2'] },
        { kind: 'parents', edges: ['hub-1'] },
      ],
    },
  ])
  t.same(Object.keys(north.edges).toSorted(), ['hub-1', 'n-1', 'n-2'])
  t.equal((north.edges['n-2']?.weight ?? 0) / (north.edges['n-1']?.weight ?? 1), 3)
  t.equal(north.edges['n-1']?.url, 'http://n-1.edges.example.com')
  t.same((await guidanceOf('s-1')).chains, [], 'alone in its site, without parents')
  t.same((await guidanceOf('hub-1')).chains, [])
  const reply = reportReplySchema.parse(JSON.parse(filling.guidance.reportReplyAt('north')))
  t.equal(reply.guidanceVersion, north.version)

  const etag = `"${north.version}"`
  const again = await ask('n-2', '/edge/v1/guidance?edge=n-2', { 'if-none-match': etag })
  t.equal(again.statusCode, 304)
  t.equal(again.headers['etag'], etag)
  t.equal((await ask('n-1', '/edge/v1/guidance?edge=n-2')).statusCode, 403, 'of another edge')
  t.equal((await ask('n-1', '/edge/v1/guidance')).statusCode, 400)
  t.equal((await ask('n-1', '/edge/v1/guidance?edge=n-1&x=1')).statusCode, 400)
})

t.test(
  'an edge that drains leaves the tiers of those who may ask it, and they alone hear of it',
  async (t) => {
    const { guidanceOf, filling, allReport, report, events, untilTold } = routesOf(t)
    allReport()
    await until('all were heard', () => filling.guidance.versionAt('north') !== undefined)
    const south = await guidanceOf('s-1')
    const { last, guidanceVersion: before } = await events('n-1')
    const held = untilTold('n-1', last, before)
    report('hub-1', { state: 'draining' })
    const { guidanceVersion, events: none } = await held
    t.same(none, [])
    const north = await guidanceOf('n-1')
    t.equal(guidanceVersion, north.version)
    t.same(north.chains[0]?.tiers, [{ kind: 'peers', edges: ['n-1', 'n-2'] }], 'they ask the origins')
    t.same(await guidanceOf('s-1'), south)
  },
)

t.test(
  'a verdict on an origin is told at once, and what came between two questions by the next',
  async (t) => {
    const { guidanceOf, filling, allReport, events, untilTold } = routesOf(t)
    allReport()
    await until('all were heard', () => filling.guidance.versionAt('south') !== undefined)
    const { last, guidanceVersion: before } = await events('s-1')
    t.equal((await guidanceOf('s-1')).version, before)
    const held = untilTold('s-1', last, before)
    const north = await events('n-1')
    allReport({ uptimeMs: 2000, origins: [{ id: 'studio', ok: 0, failed: 5 }] })
    t.not((await held).guidanceVersion, before)
    const told = await guidanceOf('s-1')
    t.same(told.origins, { studio: { state: 'down', share: 0, probed: false } })
    const next = events('n-1', `&after=${last}`)
    // Before a question that is held is answered for its age.
    const soon = await Promise.race([next, wait(1500, 'it is held')])
    t.not(soon, 'it is held', 'no question was held when it came')
    t.not((await next).guidanceVersion, north.guidanceVersion)
  },
)

t.test(
  'the next configuration is told at once; one that changes nothing of it has the same version',
  async (t) => {
    const { filling, next, allReport } = routesOf(t)
    allReport()
    await until('all were heard', () => filling.guidance.versionAt('north') !== undefined)
    t.equal(next({}).guidance.versionAt('north'), filling.guidance.versionAt('north'))
    const without = next({ sites: [{ id: 'hub' }, { id: 'north' }, { id: 'south' }] }).guidance
    t.not(without.versionAt('north'), undefined, 'without a pause')
    t.not(without.versionAt('north'), filling.guidance.versionAt('north'), 'its parents are gone')
    t.equal(without.versionAt('south'), filling.guidance.versionAt('south'))
  },
)
