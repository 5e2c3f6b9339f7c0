// A name end to end: unbound resolves it for a client, and ffmpeg plays from the edge that was answered. Then that edge
// dies, and the next answer leads to another.
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { startCluster } from '../kit/cluster.ts'
import { ZONE, dataOf } from '../kit/dns-cluster.ts'
import { freePort } from '../kit/ports.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { ScriptedOrigin } from '../kit/scripted-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'
import { startUnbound } from '../kit/unbound.ts'

const MEDIA = fileURLToPath(new URL('../../deploy/demo/media', import.meta.url))
const NAME = `shows.${ZONE}`
/** Clients and edges are addresses of this machine, and all edges have one port, as a name has no other. */
const [NEAR_CLIENT, FAR_CLIENT] = ['127.1.0.1', '127.2.0.1']
const [NEAR, FAR] = ['127.0.0.11', '127.0.0.12']
/** Five seconds of silence, the lifetime of an answer, and some for a slow machine. */
const MOVED_WITHIN_MS = 10_000

async function startMedia(t: TestScope): Promise<ScriptedOrigin> {
  const files = await readdir(`${MEDIA}/ts`, { recursive: true, withFileTypes: true })
  const answers = files
    .filter((file) => file.isFile())
    .map(async (file) => {
      const whole = path.join(file.parentPath, file.name)
      const body = await readFile(whole)
      return [whole.slice(MEDIA.length), { body, fields: { 'cache-control': 'max-age=60' } }] as const
    })
  return startOrigin(t, Object.fromEntries(await Promise.all(answers)))
}

/** A digest of all that ffmpeg plays, with the name as a player has it that resolved it to the address. */
async function played(url: string, host?: string): Promise<string> {
  const headers = host === undefined ? [] : ['-headers', `Host: ${host}\r\n`]
  const output = ['-map', '0', '-c', 'copy', '-f', 'streamhash', '-']
  const { stdout } = await promisify(execFile)('ffmpeg', [
    '-v',
    'error',
    '-nostdin',
    ...headers,
    '-i',
    url,
    ...output,
  ])
  return stdout
}

t.test('ffmpeg plays from the edge that its resolver was answered', { timeout: 180_000 }, async (t) => {
  const origin = await startMedia(t)
  const [port, dnsPort] = [await freePort(), await freePort()]
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: {
      near: { edges: ['n-1'], networks: ['127.1.0.0/16'] },
      far: { edges: ['f-1'], networks: ['127.2.0.0/16'] },
    },
    listens: { 'n-1': `${NEAR}:${port}`, 'f-1': `${FAR}:${port}` },
    edgeEntries: { 'n-1': { addresses: [NEAR] }, 'f-1': { addresses: [FAR] } },
    dns: {
      listen: `127.0.0.1:${dnsPort}`,
      zone: ZONE,
      nameservers: ['ns1.example.net'],
      ttl: { steered: '1s' },
    },
  })
  const lines = ['send-client-subnet: 127.0.0.1']
  const unbound = await startUnbound(t, { zones: { [ZONE]: `127.0.0.1:${dnsPort}` }, lines })
  const resolved = async (client: string) => dataOf((await unbound.dig(`${NAME} A`, client)).answer, 'A')
  const playedAt = (address = '') => played(`http://${address}:${port}/ts/main.m3u8`, `${NAME}:${port}`)
  const expected = await played(`${origin.url}/ts/main.m3u8`)
  t.match(expected, /SHA256=[0-9a-f]{64}/)

  for (const [client, edge, address] of [
    [NEAR_CLIENT, 'n-1', NEAR],
    [FAR_CLIENT, 'f-1', FAR],
  ] as const) {
    const [first, ...others] = await resolved(client)
    t.strictSame([first, others], [address, []], `${client} is sent to ${edge}`)
    t.equal(await playedAt(first), expected, 'what the origin has')
  }

  await cluster.edge('n-1').process.stop('SIGKILL')
  await until(
    'the name leads elsewhere',
    async () => (await resolved(NEAR_CLIENT))[0] === FAR,
    MOVED_WITHIN_MS,
  )
  t.equal(await playedAt((await resolved(NEAR_CLIENT))[0]), expected, 'and is played from there')
})
