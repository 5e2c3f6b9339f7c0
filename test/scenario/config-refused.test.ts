// An edge that is older than its cluster: it is sent a configuration with a key that it does not know, by a scheduler that
// is played by what stands between the two. It refuses it with the reason, serves on, and the scheduler shows both.
import { createServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import t from 'tap'
import { fetch } from 'undici'
import { z } from 'zod'
import { freePort } from '../kit/ports.ts'
import { ask } from '../kit/purging.ts'
import {
  clusterSettings,
  propertyOf,
  startJoinedEdge,
  startRolloutScheduler,
  statesOf,
  statusAt,
} from '../kit/rollout.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const configSchema = z.looseObject({ properties: z.array(z.looseObject({ id: z.string() })) })

/** Passes all on, and adds to the property `films` of each configuration what only newer edges know. */
async function newerScheduler(t: TestScope, control: string): Promise<string> {
  const server = createServer((request, response) => {
    const forward = async () => {
      const body = request.method === 'POST' ? await bytesOf(request) : undefined
      const { authorization = '' } = request.headers
      const answer = await fetch(control + (request.url ?? ''), {
        method: request.method ?? 'GET',
        headers: { authorization, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body }),
      })
      const text = await answer.text()
      response.statusCode = answer.status
      response.end(request.url?.startsWith('/edge/v1/config') === true ? withNewKey(text) : text)
    }
    forward().catch(() => response.destroy())
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  const port = await freePort()
  server.listen(port, '127.0.0.1', resolve)
  await promise
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const part of request) {
    const chunk: unknown = part
    if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function withNewKey(text: string): string {
  const config = configSchema.parse(JSON.parse(text))
  for (const property of config.properties) if (property.id === 'films') property['hologram'] = { depth: 3 }
  return JSON.stringify(config)
}

t.test('refused by one, run by the other, and shown', async (t) => {
  const origin = await startOrigin(t, { '/a.ts': () => ({ body: 'a' }) })
  const settings = await clusterSettings(origin.url, ['old-1', 'new-1'])
  const scheduler = await startRolloutScheduler(t, settings)
  const older = await startJoinedEdge(t, 'old-1', settings, await newerScheduler(t, scheduler.control))
  const newer = await startJoinedEdge(t, 'new-1', settings, scheduler.control)
  const states = async () => statesOf(await scheduler.status())
  await until('both run the first', async () =>
    Object.values(await states()).every((one) => one === 'applied'),
  )

  await scheduler.change((file) => (file['properties'] = [propertyOf('shows'), propertyOf('films')]))
  const { code, stdout } = await scheduler.config('apply')
  t.equal(code, 1)
  t.match(stdout, /^version 2 is current\n2 edges: 1 run it, 1 refused\n/)
  t.match(stdout, /^old-1 refuses it: properties\[1\]: Unrecognized key: "hologram"$/m)
  t.same(await states(), { 'old-1': 'refused', 'new-1': 'applied' })
  const told = (await scheduler.status()).edges.find(({ id }) => id === 'old-1')
  t.match(told, { version: 1, reason: /hologram/ }, 'what it runs, and why nothing newer')
  t.match((await scheduler.config('status')).stdout, /^old-1 .* 1 {2}refused .*hologram/m)
  t.equal((await ask(older, '/a.ts')).status, 200, 'it serves on')
  t.equal(await statusAt(newer.url, 'films'), 200)

  await older.restart()
  await until('it comes back with what it had', async () => (await states())['old-1'] === 'refused')
  t.equal((await ask(older, '/a.ts')).status, 200)

  t.match((await scheduler.config('rollback', '1')).stdout, /^version 3 is current\n2 edges: 2 run it\n$/)
  t.same(await states(), { 'old-1': 'applied', 'new-1': 'applied' })
  await older.stop()
  await until('who is gone is silent', async () => (await states())['old-1'] === 'silent')
})

t.test('an edge that was never sent anything else takes no client, and says why', async (t) => {
  const settings = await clusterSettings('http://127.0.0.1:9', ['old-1'])
  settings['properties'] = [propertyOf('films')]
  const scheduler = await startRolloutScheduler(t, settings)
  await startJoinedEdge(t, 'old-1', settings, await newerScheduler(t, scheduler.control))
  await until('it refuses', async () => statesOf(await scheduler.status())['old-1'] === 'refused')
  t.match((await scheduler.status()).edges, [{ version: null, acknowledgedAtMs: null, reason: /hologram/ }])
  t.equal(await statusAt(scheduler.steering, 'films'), 503)
})
