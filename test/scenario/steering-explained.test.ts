// What a scheduler says of its decisions: `edgeward explain`, its API and the decision log agree with what clients get.
import t from 'tap'
import { fetch } from 'undici'
import { z } from 'zod'
import { decisionSchema } from '../../src/wire/decision.ts'
import type { Decision } from '../../src/wire/decision.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import { get } from '../kit/client.ts'
import { runCommand } from '../kit/process.ts'
import { edgeEntry } from '../kit/scheduler.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import type { SchedulerProcess } from '../kit/scheduler-process.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const EDGES = [
  edgeEntry('gz-1', 'guangzhou'),
  edgeEntry('gz-2', 'guangzhou'),
  edgeEntry('gz-3', 'guangzhou', { capabilities: ['uhd'] }),
  edgeEntry('fra-1', 'frankfurt'),
]
const TOKENS = { scheme: 'type-a', keys: ['a-key-that-is-long-enough'] }
const PROPERTIES = [
  { id: 'shows', hosts: ['shows.example.com'], origins: [{ id: 'studio' }] },
  { id: 'secret', hosts: ['secret.example.com'], origins: [{ id: 'studio' }], access: { tokens: TOKENS } },
]

/** `said`: of an edge by its id, where it says more than that it is up. */
async function startTold(
  t: TestScope,
  more: Record<string, unknown> = {},
  said: Readonly<Record<string, Partial<EdgeReport>>> = {},
) {
  const scheduler = await startSchedulerProcess(t, {
    scheduler: {
      steering: { listen: '127.0.0.1:0' },
      control: { listen: '127.0.0.1:0' },
      admin: { listen: '127.0.0.1:0' },
      trustedProxies: ['127.0.0.0/8'],
      // The edges of this test are reports alone.
      probes: false,
      ...more,
    },
    edges: EDGES,
    properties: PROPERTIES,
  })
  for (const { id } of z.array(z.object({ id: z.string() })).parse(EDGES)) {
    scheduler.keepReporting(id, { uptimeMs: 1e9, ...said[id] })
    await scheduler.untilState(id, said[id]?.state ?? 'up')
  }
  return scheduler
}

async function explain(scheduler: SchedulerProcess, query: Record<string, string>): Promise<Decision> {
  const answer = await fetch(`${scheduler.admin}/api/v1/explain?${new URLSearchParams(query).toString()}`)
  return decisionSchema.parse(await answer.json())
}

t.test('the explained edge is the one that the client is sent to, whoever asks for what', async (t) => {
  const scheduler = await startTold(t)
  for (let asset = 0; asset < 40; asset++) {
    const client = asset % 2 === 0 ? `203.0.113.${asset}` : `198.51.100.${asset}`
    const path = `/${asset}/main.m3u8`
    const decision = await explain(scheduler, { client, url: `http://shows.example.com${path}` })
    const reply = await get(scheduler.steering + path, {
      headers: { Host: 'shows.example.com', 'X-Forwarded-For': client },
    })
    t.equal(reply.status, decision.status)
    t.ok(
      String(reply.headers.location).startsWith(`${decision.chosen?.url}/`),
      String(reply.headers.location),
    )
    t.equal(decision.asset, `/${asset}/`)
    t.equal(decision.location?.network, asset % 2 === 0 ? '203.0.113.0/24' : '198.51.100.0/24')
  }
})

t.test('every site and edge has a reason', async (t) => {
  const scheduler = await startTold(t, {}, { 'gz-2': { state: 'draining' } })
  const decision = await explain(scheduler, {
    client: '203.0.113.7',
    url: 'http://shows.example.com/a/main.m3u8',
  })
  t.match(decision.sites, [
    { site: 'guangzhou', role: 'located', verdict: 'chosen', distanceMs: 0 },
    { site: 'frankfurt', role: 'other', verdict: 'farther', costMs: Number },
  ])
  const edges = decision.sites.flatMap(({ edges: held }) => held)
  t.strictSame(edges.map(({ edge }) => edge).toSorted(), ['fra-1', 'gz-1', 'gz-2', 'gz-3'])
  t.match(
    edges.find(({ edge }) => edge === 'gz-2'),
    { state: 'draining', reason: 'draining', place: null },
  )
  t.match(
    edges.find(({ place }) => place === 1),
    { edge: decision.chosen?.edge, reason: 'hash', ramp: 1 },
  )
})

t.test(
  'the command prints it for people and for programs, and says by its exit code what came of it',
  async (t) => {
    const scheduler = await startTold(t)
    const told = ['explain', '--admin', scheduler.admin, '--client', '203.0.113.9']
    const page = await runCommand(t, [...told, '--url', 'http://shows.example.com/a/main.m3u8'])
    t.equal(page.code, 0)
    for (const words of [
      'guangzhou: its network is covered (coverage network 203.0.113.0/24',
      /✓ guangzhou +located +0 ms +0 % +0 ms +0 ms +chosen/,
      /frankfurt +other +\d+ ms .* farther than the chosen one costs/,
      /✓ gz-\d +guangzhou +up .* by the hash of the asset/,
      /302 redirect to gz-\d at guangzhou/,
    ]) {
      t.match(page.stdout, words)
    }
    const json = await runCommand(t, [...told, '--json', 'http://shows.example.com/a/main.m3u8'])
    t.match(decisionSchema.parse(JSON.parse(json.stdout)), { outcome: 'redirect', client: '203.0.113.9' })

    const denied = await runCommand(t, [
      ...told,
      'http://secret.example.com/a/main.m3u8?auth_key=1-2-3-s3cret',
    ])
    t.equal(denied.code, 1)
    t.match(denied.stdout, /403 denied: token_/)
    t.notMatch(denied.stdout, 's3cret')
    const nobody = await runCommand(t, [
      'explain',
      '--admin=http://127.0.0.1:9',
      'http://secret.example.com/a/main.m3u8?auth_key=1-2-3-s3cret',
    ])
    t.match(nobody, { code: 2, stderr: /^error: http:\S+ does not answer: / })
    t.notMatch(nobody.stderr, 's3cret')
    t.match(await runCommand(t, [...told, 'ftp://x']), { code: 2, stderr: /the URL must be like/ })
    t.match(await runCommand(t, ['explain', '--client', '203.0.113.9']), {
      code: 2,
      stderr: /a URL or --dns is missing/,
    })
  },
)

t.test('bad questions are refused by name', async (t) => {
  const scheduler = await startTold(t)
  for (const [query, message] of [
    [{ url: 'http://a/', client: '203.0.113' }, /address must be an IP address/],
    [{ url: 'a' }, /the URL must be like/],
    [{ client: '203.0.113.9' }, /^url: /],
    [{ url: 'http://a/', clinet: 'x' }, /clinet/],
  ] as const) {
    const answer = await fetch(`${scheduler.admin}/api/v1/explain?${new URLSearchParams(query).toString()}`)
    t.equal(answer.status, 400)
    t.match(await answer.json(), { error: 'explain', message })
  }
  const told = ['explain', '--admin', scheduler.admin, '--client', '203.0.113.9']
  t.match(await runCommand(t, [...told, '--dns', 'shows.example.com']), {
    code: 2,
    stderr: /this scheduler answers no DNS: scheduler\.dns is not configured\n$/,
  })
})

t.test('the decision log holds the same record of what was answered', async (t) => {
  const scheduler = await startTold(t, { decisionLog: 1, accessLog: false })
  await get(`${scheduler.steering}/a/main.m3u8?secret=s3cret`, {
    headers: { Host: 'shows.example.com', 'X-Forwarded-For': '203.0.113.7' },
  })
  const logged = await until('the decision is logged', async () => decisionsIn(scheduler.daemon.stderr())[0])
  t.match(logged, { outcome: 'redirect', client: '203.0.113.7', chosen: { site: 'guangzhou' } })
  t.notMatch(scheduler.daemon.stderr(), 's3cret')
})

function decisionsIn(log: string): Decision[] {
  const lines = log.split('\n').filter((line) => line.includes('"decision":'))
  return lines.map((line) => z.object({ decision: decisionSchema }).parse(JSON.parse(line)).decision)
}
