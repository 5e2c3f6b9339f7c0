// `edgeward demo` as its users meet it: ready on free ports, redirects, cache hits, another client's edge,
// a taken port, an edge that is killed, and nothing left behind however it ends.
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import t from 'tap'
import { listen } from '../../src/net/listen.ts'
import { startDemo } from '../kit/demo.ts'
import type { DemoInfo } from '../kit/demo.ts'
import { runCommand } from '../kit/process.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

function listenersOf(info: DemoInfo): string[] {
  const edges = info.edges.flatMap((edge) => [edge.url, edge.admin])
  return [info.origin, info.scheduler.steering, info.scheduler.admin, ...edges]
}

async function isListening(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function stillListening(info: DemoInfo): Promise<string[]> {
  const urls = listenersOf(info)
  const listening = await Promise.all(urls.map(isListening))
  return urls.filter((_, i) => listening[i])
}

async function locationOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(url, { redirect: 'manual', headers })
  await response.body?.cancel()
  return response.status === 302 ? (response.headers.get('location') ?? '') : `status ${response.status}`
}

function edgeOf(info: DemoInfo, site: string) {
  const edge = info.edges.find((candidate) => candidate.site === site)
  if (edge === undefined) throw new Error(`the demo has no edge at ${site}`)
  return edge
}

t.test('steers, caches, and stops on SIGINT without a trace', async (t) => {
  const demo = await startDemo(t)
  const { info } = demo
  t.equal((await stillListening(info)).length, listenersOf(info).length, 'all listeners answer')
  t.equal(new URL(info.player).searchParams.get('src'), info.vod)
  for (const url of [info.player, info.vod, info.live, info.mp4]) {
    t.equal(new URL(url).origin, info.scheduler.steering)
  }

  const here = edgeOf(info, 'guangzhou')
  t.equal(await locationOf(info.mp4), `${here.url}/~demo/vod/clip.mp4`)
  const elsewhere: [string, string][] = [
    ['203.0.113.9', 'sao-paulo'],
    ['198.51.100.77', 'frankfurt'],
    ['2001:db8:49::1', 'frankfurt'],
  ]
  for (const [address, site] of elsewhere) {
    const location = await locationOf(info.mp4, { 'X-Forwarded-For': address })
    t.equal(new URL(location).origin, edgeOf(info, site).url, `${address} belongs to ${site}`)
  }

  const first = await fetch(info.mp4)
  const whole = Buffer.from(await first.arrayBuffer())
  const second = await fetch(info.mp4)
  const bodies = [whole, Buffer.from(await second.arrayBuffer())]
  t.match(first.headers.get('cache-status'), /fwd=/, 'first a miss')
  t.match(second.headers.get('cache-status'), /; ?hit/, 'then a hit')
  const direct = Buffer.from(await (await fetch(`${info.origin}/vod/clip.mp4`)).arrayBuffer())
  t.ok(
    bodies.every((body) => body.equals(direct)),
    'both as at the origin',
  )

  t.equal((await readdir(demo.tempRoot)).length, 1, 'one directory of its own')
  t.strictSame(await demo.stop('SIGINT'), { code: 0, signal: null })
  t.strictSame(await stillListening(info), [])
  t.strictSame(await readdir(demo.tempRoot), [], 'and it is gone')
  for (const { pid } of info.edges) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
})

t.test('an edge that is killed is named, and its viewers go to another', async (t) => {
  const demo = await startDemo(t)
  const victim = edgeOf(demo.info, 'guangzhou')
  process.kill(victim.pid, 'SIGKILL')
  await until(
    'clients are sent elsewhere',
    async () => new URL(await locationOf(demo.info.mp4)).origin !== victim.url,
  )
  const said = `edge ${victim.id} (pid ${victim.pid}) has ended: killed by SIGKILL`
  await until('it is named', () => demo.stderr().includes(said))
  const response = await fetch(demo.info.vod)
  t.equal(response.status, 200)
  t.match(await response.text(), '#EXTM3U')
  t.strictSame(await demo.stop('SIGTERM'), { code: 0, signal: null })
  t.strictSame(await stillListening(demo.info), [])
})

t.test('a demo that is killed takes its processes with it', async (t) => {
  const demo = await startDemo(t)
  t.strictSame(await demo.stop('SIGKILL'), { code: null, signal: 'SIGKILL' })
  await until('nothing listens any more', async () => (await stillListening(demo.info)).length === 0)
  t.pass('gone')
})

t.test('a taken port is one line that names the port and the option', async (t) => {
  const holder = createServer()
  const port = await listen(holder, { host: '127.0.0.1', port: 0 }, 'the test')
  t.teardown(() => holder.close())
  const tempRoot = await tempDirectory(t)
  const result = await runCommand(t, ['demo', '--steering-port', String(port)], { env: { TMPDIR: tempRoot } })
  t.equal(result.code, 1)
  t.equal(result.stdout, '')
  t.equal(result.stderr, `edgeward: port ${port} (steering) is taken; choose another with --steering-port\n`)
  t.strictSame(await readdir(tempRoot), [], 'nothing was written')
})

t.test('a port that is none is a usage error', async (t) => {
  const result = await runCommand(t, ['demo', '--edge-port', '70000'])
  t.equal(result.code, 2)
  t.match(result.stderr, /--edge-port/)
})
