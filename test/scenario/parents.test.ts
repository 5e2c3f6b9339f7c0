// A site that parents fill: the nearest that can, then the next, then the origins; as two schedulers on one Redis say it.
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { z } from 'zod'
import { guidanceSchema } from '../../src/wire/guidance.ts'
import { get } from '../kit/client.ts'
import { startCluster } from '../kit/cluster.ts'
import { startPlainOrigin } from '../kit/plain-origin.ts'
import { startRedis } from '../kit/redis-server.ts'
import { until } from '../kit/until.ts'

const chainsSchema = z.object({ tiers: z.array(z.object({ kind: z.string(), edges: z.array(z.string()) })) })

const at = (lon: number) => ({ lat: 51.5, lon })

const redis = await startRedis(t)
const origin = await startPlainOrigin(t)
const cluster = await startCluster(t, {
  origin: origin.url,
  redis: redis.url,
  sites: {
    child: { edges: ['c-1'], entry: { location: at(0), parents: 'nearest' } },
    far: { edges: ['f-1'], entry: { location: at(20), fills: true } },
    near: { edges: ['n-1'], entry: { location: at(-1), fills: true } },
    other: { edges: ['o-1'], entry: { location: at(0), parents: ['far', 'near'] } },
  },
})

async function tiersAt(site: string) {
  const reply = await get(`${cluster.admin}/api/v1/chains?site=${site}&property=shows`)
  return chainsSchema.parse(JSON.parse(reply.text)).tiers
}

function untilFilled(site: string, parent: string) {
  const wanted = JSON.stringify([{ kind: 'parents', edges: [parent] }])
  return until(`${site} is filled by ${parent}`, async () => JSON.stringify(await tiersAt(site)) === wanted)
}

async function refusal(query: string): Promise<number> {
  return (await get(`${cluster.admin}/api/v1/chains?${query}`)).status
}

let asked = 0

/** The edges by way of which something new comes to the child, the farthest first. */
async function way(): Promise<string> {
  const reply = await get(`${cluster.edge('c-1').url}/~shows/${asked++}`)
  t.equal(reply.status, 200)
  return String(origin.last?.headers.via)
}

const untilWay = (wanted: string) =>
  until(`the way is ${wanted}`, async () => (await way()) === wanted, 40_000)

t.test('the nearest parent that can', async (t) => {
  // A start waits for all edges, but not for ever: a scheduler names the other parent while it has not heard of one.
  await untilFilled('child', 'n-1')
  await untilFilled('other', 'f-1')
  t.same(await tiersAt('near'), [], 'alone at its site: the origins')
  await untilWay('1.1 c-1, 1.1 n-1')
  t.same(
    [await refusal('site=nowhere&property=shows'), await refusal('site=child&property=x'), await refusal('')],
    [404, 404, 400],
  )
})

t.test('a parent site that dies gives way to the next, without an error for anybody', async () => {
  await cluster.edge('n-1').stop('SIGKILL')
  await untilWay('1.1 c-1, 1.1 f-1')
  await untilFilled('child', 'f-1')
})

t.test('with none left its edges ask the origins', async () => {
  await cluster.edge('f-1').stop('SIGKILL')
  await untilWay('1.1 c-1')
})

t.test('back, the nearer is asked again', async () => {
  await Promise.all([cluster.edge('n-1').start(), cluster.edge('f-1').start()])
  await untilWay('1.1 c-1, 1.1 n-1')
})

t.test('a scheduler that starts anew hands out the secrets of before', async (t) => {
  const file = path.join(cluster.edge('c-1').directory, 'cache', 'edge-guidance.json')
  const secrets = async () => guidanceSchema.parse(JSON.parse(await readFile(file, 'utf8'))).secrets
  const before = await secrets()
  await cluster.restartScheduler()
  await untilWay('1.1 c-1, 1.1 n-1')
  const after = await secrets()
  const known = after.filter(({ id }) => before.some((secret) => secret.id === id))
  // An hour may have passed.
  t.ok(after.length - known.length <= 1, `${known.length} of ${after.length}`)
  for (const { key } of after) t.notOk(cluster.scheduler.stderr().includes(key), 'never logged')
})
