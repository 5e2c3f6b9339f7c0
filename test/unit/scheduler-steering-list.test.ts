// Steering lists: who stays where it plays, who is sent on and where, and what a player is told of the other edges.
import t from 'tap'
import { DemandTracker } from '../../scheduler/choose/demand.ts'
import type { SteerQuery } from '../../scheduler/query.ts'
import { choosing, site } from '../kit/choosing.ts'
import type { ChoosingCluster, Said } from '../kit/choosing.ts'
import { edgeEntry } from '../kit/scheduler.ts'

const CLUSTER = {
  sites: [site('here', 50, 8), site('there', 10, 100)],
  edges: [edgeEntry('a', 'here'), edgeEntry('b', 'here'), edgeEntry('c', 'there')],
  property: { contentSteering: { ttl: '30s' } },
}
const ALL: Record<string, Said> = { a: {}, b: {}, c: {} }

function listsFrom(reports: Record<string, Said> = ALL, cluster: Partial<ChoosingCluster> = {}) {
  const { decide } = choosing({ ...CLUSTER, ...cluster }, { reports })
  return (search: string, query: Partial<SteerQuery> = {}) => {
    const { answer, outcome, pathways } = decide({ path: '/.edgeward/steering/shows', search, ...query })
    const body = answer.body === '' ? {} : JSON.parse(answer.body)
    return {
      ...body,
      outcome,
      status: answer.status,
      extra: answer.extra.join('|'),
      stays: pathways?.stays?.id,
    }
  }
}

const from = (edge: string, pathway = '.') =>
  `?asset=/x/main.m3u8&from=${edge}&_HLS_pathway=${pathway}&_HLS_throughput=9`

t.test('a list as players take it', async (t) => {
  const ask = listsFrom()
  for (const pathway of ['.', '%22.%22', '".']) {
    t.match(ask(from('a', pathway)), {
      status: 200,
      outcome: 'steering-list',
      VERSION: 1,
      TTL: 30,
      'RELOAD-URI': 'shows?asset=/x/main.m3u8&from=a',
      'PATHWAY-PRIORITY': ['.', 'b', 'c'],
      'PATHWAY-CLONES': [
        { 'BASE-ID': '.', ID: 'b', 'URI-REPLACEMENT': { HOST: 'b.edges.example.com' } },
        { 'BASE-ID': '.', ID: 'c', 'URI-REPLACEMENT': { HOST: 'c.edges.example.com' } },
      ],
      stays: 'a',
      extra: /application\/vnd\.apple\.steering-list.*Access-Control-Allow-Origin\|\*/,
    })
  }
  t.match(ask(from('a', 'c'))['PATHWAY-PRIORITY'], ['c', /./, /./], 'it has moved, and keeps that edge')
  t.equal(ask('?asset=/%E9%22x/&from=a')['RELOAD-URI'], 'shows?asset=/%E9%22x/&from=a')
})

t.test('who stays and who is sent on', async (t) => {
  const cases: [string, Said, 'stays' | 'last' | 'absent'][] = [
    ['up', {}, 'stays'],
    ['degraded', { state: 'degraded' }, 'stays'],
    ['full', { sentBitRate: 1e9 }, 'stays'],
    ['drained by an operator', { override: 'drain' }, 'stays'],
    ['drained by an operator and silent', { override: 'drain', ageMs: 3500 }, 'absent'],
    ['drained by an operator and gone', { override: 'drain', ageMs: 6000 }, 'absent'],
    ['about to end', { state: 'draining' }, 'absent'],
    ['both', { state: 'draining', override: 'drain' }, 'absent'],
    ['down by an operator', { override: 'down' }, 'absent'],
    ['suspect', { ageMs: 3500 }, 'absent'],
    ['down', { ageMs: 6000 }, 'absent'],
  ]
  for (const [name, said, expected] of cases) {
    const { stays, 'PATHWAY-PRIORITY': priority } = listsFrom({ ...ALL, a: said })(from('a'))
    t.equal(stays, expected === 'stays' ? 'a' : undefined, name)
    t.strictSame(priority, expected === 'stays' ? ['.', 'b', 'c'] : ['b', 'c'], name)
  }
  const { b, c } = ALL
  t.strictSame(
    listsFrom({ b: b ?? {}, c: c ?? {} })(from('a'))['PATHWAY-PRIORITY'],
    ['b', 'c'],
    'never heard of',
  )
})

t.test('a cluster that takes no new client keeps those it has', async (t) => {
  const drained: Said = { override: 'drain' }
  const ask = listsFrom({ a: drained, b: drained, c: drained })
  t.match(ask(from('a')), { status: 200, 'PATHWAY-PRIORITY': ['.'], 'PATHWAY-CLONES': [] })
  t.match(ask(from('a', 'b'))['PATHWAY-PRIORITY'], ['b', '.'])
  t.match(listsFrom({})(from('a')), { status: 503, error: 'no-edge', extra: /Retry-After/ })
})

t.test('only edges that differ in nothing but their host can be named', async (t) => {
  const edges = [
    edgeEntry('a', 'here', { url: 'https://a.example.com' }),
    edgeEntry('same', 'here', { url: 'https://[2001:db8::1]:443' }),
    edgeEntry('port', 'here', { url: 'https://b.example.com:8443' }),
    edgeEntry('scheme', 'here', { url: 'http://c.example.com:443' }),
    edgeEntry('path', 'here', { url: 'https://d.example.com/edge' }),
  ]
  const reports = { a: {}, same: {}, port: {}, scheme: {}, path: {} }
  const ask = listsFrom(reports, { edges })
  t.match(ask(from('a')), {
    'PATHWAY-PRIORITY': ['.', 'same'],
    'PATHWAY-CLONES': [{ ID: 'same', 'URI-REPLACEMENT': { HOST: '[2001:db8::1]' } }],
  })
  t.strictSame(ask(from('port'))['PATHWAY-PRIORITY'], ['.'])
  t.strictSame(ask(from('path'))['PATHWAY-PRIORITY'], ['.'])
  const left = listsFrom({ ...reports, path: { ageMs: 6000 } }, { edges })
  t.match(left(from('path')), { status: 200, 'PATHWAY-PRIORITY': ['.'] }, 'nothing else is within reach')
})

t.test('an edge that is configured no more', async (t) => {
  const ask = listsFrom()
  for (const search of [from('gone'), '?asset=/x/main.m3u8', '']) {
    const { stays, 'PATHWAY-PRIORITY': priority, 'PATHWAY-CLONES': clones } = ask(search)
    t.equal(stays, undefined)
    t.strictSame(priority.toSorted(), ['a', 'b', 'c'])
    t.strictSame(
      clones.map(({ ID }: { ID: string }) => ID),
      priority,
    )
  }
})

t.test('the label of the property goes with the host', async (t) => {
  const ask = listsFrom(ALL, { steering: { redirect: 'host' } })
  t.match(ask(from('a'))['PATHWAY-CLONES'][0], { 'URI-REPLACEMENT': { HOST: 'shows.b.edges.example.com' } })
})

t.test('what else is asked there', async (t) => {
  const off = listsFrom(ALL, { property: {} })
  t.match(off(from('a')), { status: 410, error: 'steering-off' })
  const denying = { property: { ...CLUSTER.property, access: { addresses: { deny: ['203.0.113.0/24'] } } } }
  t.match(listsFrom(ALL, denying)(from('a')), { status: 403, error: 'denied', reason: 'address_denied' })
  const tokens = { tokens: { scheme: 'type-a', keys: ['a-key-of-the-test'] } }
  const protectedBy = { property: { ...CLUSTER.property, access: tokens } }
  t.match(
    listsFrom(ALL, protectedBy)(from('a')),
    { status: 200 },
    'a player that was admitted has no token here',
  )
  const ask = listsFrom()
  t.match(ask('', { method: 'OPTIONS' }), { status: 204, extra: /Access-Control-Allow-Methods/ })
  t.match(ask('', { method: 'DELETE' }), { status: 405, error: 'method-not-allowed' })
  t.match(ask('', { path: '/.edgeward/steering/films' }), {
    status: 404,
    error: 'unknown-property',
    message: /films/,
  })
  t.match(ask('?asset=x'), { status: 400, error: 'bad-parameter' })
  t.match(ask('?asset=/x%3Fy'), { status: 400, error: 'bad-parameter' })
  t.match(ask('?asset=/x%0a'), { status: 400, error: 'bad-parameter' })
})

/** The edges that one list counts as a new session on. */
function demandOf(reports: Record<string, Said>): string[] {
  const noted: string[] = []
  const demand = new DemandTracker({ edges: 3, properties: 1 })
  demand.note = (_asset, _site, edge) => void noted.push(edge.id)
  const { decide } = choosing(CLUSTER, { reports, demand })
  decide({ path: '/.edgeward/steering/shows', search: from('a') })
  return noted
}

t.test('lists are no demand, unless the player moves', async (t) => {
  t.strictSame(demandOf(ALL), [])
  t.strictSame(demandOf({ ...ALL, a: { ageMs: 6000 } }), ['b'])
})
