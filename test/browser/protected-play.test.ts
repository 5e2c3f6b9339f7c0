// A protected stream, with AES-128 segments, played through the scheduler's redirect by three players: hls.js and the
// browser's own player in Chromium, and ffmpeg. Each carrier of grants, each with a player that it suits.
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import t from 'tap'
import { systemClock } from '../../src/clock.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import { freePort } from '../kit/ports.ts'
import { startProtectedStream } from '../kit/protected-stream.ts'
import type { TestScope } from '../kit/scope.ts'
import { signTypeA } from '../../src/token/type-a.ts'
import { launchBrowser, playFor } from './browser.ts'

const run = promisify(execFile)
const KEY = 'key-of-the-players'
const HLS_JS = readFileSync(fileURLToPath(import.meta.resolve('hls.js/dist/hls.min.js')))

t.setTimeout(280_000)
const stream = await startProtectedStream(t)
const browser = await launchBrowser(t)
const site = await startSite(t)

/** A page of the content owner: another origin than scheduler and edges. */
async function startSite(t: TestScope): Promise<string> {
  const page = `<!doctype html><video muted autoplay playsinline></video><script src=/hls.js></script><script>
    const src = new URLSearchParams(location.search).get('src')
    const video = document.querySelector('video')
    window.player = { video }
    if (new URLSearchParams(location.search).has('native')) video.src = src
    else { const hls = new Hls({ xhrSetup: (xhr) => { xhr.withCredentials = location.search.includes('cookies') } })
      hls.loadSource(src); hls.attachMedia(video); window.player.hls = hls }
  </script>`
  const port = await freePort()
  const server = createServer((request, response) => {
    const isScript = request.url === '/hls.js'
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' })
    response.end(isScript ? HLS_JS : page)
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${port}`
}

async function clusterCarrying(t: TestScope, carry: string, more: object = {}): Promise<Cluster> {
  const cookie = { secure: false, sameSite: 'lax' }
  const access = { tokens: { scheme: 'type-a', keys: [KEY], carry, cookie }, keys: { match: ['*.key'] } }
  return startCluster(t, {
    origin: stream.url,
    sites: { one: { edges: ['a-1'] }, two: { edges: ['b-1'] } },
    property: { access, ...more },
  })
}

function signedUrl(base: string): string {
  return `${base}/~shows${signTypeA({ keys: [KEY] }, stream.main, { nowMs: systemClock.now() })}`
}

async function open(query: string): Promise<{ page: Page; refused: string[] }> {
  const page = await browser.newPage()
  const refused: string[] = []
  page.on('response', (response) => {
    if (response.status() >= 400 && !response.url().endsWith('/favicon.ico'))
      refused.push(`${response.status()} ${response.url()}`)
  })
  await page.goto(`${site}/?${query}`)
  return { page, refused }
}

async function framesOf(url: string): Promise<number> {
  const args = ['-nostdin', '-v', 'error', '-i', url, '-map', '0:v:0', '-f', 'framehash', '-']
  const { stdout } = await run('ffmpeg', args, { timeout: 60_000, maxBuffer: 2 ** 24 })
  return stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#')).length
}

for (const carry of ['rewrite', 'path']) {
  t.test(`carried by ${carry}`, async (t) => {
    const cluster = await clusterCarrying(t, carry)
    t.equal(
      (await fetch(`${cluster.steering}/~shows${stream.main}`)).status,
      403,
      'the scheduler refuses early',
    )
    for (const player of ['hls.js', 'native']) {
      const { page, refused } = await open(
        `src=${encodeURIComponent(signedUrl(cluster.steering))}${player === 'native' ? '&native' : ''}`,
      )
      t.ok((await playFor(page, 4)) >= 4, `${player} plays`)
      t.strictSame(refused, [], `${player} is refused nothing`)
      await page.close()
    }
    t.ok((await framesOf(signedUrl(cluster.steering))) > stream.seconds * 20, 'ffmpeg plays it to its end')
  })
}

t.test('carried by cookies', async (t) => {
  const cluster = await clusterCarrying(t, 'cookie', { cors: { origins: [site] } })
  t.ok((await framesOf(signedUrl(cluster.steering))) > stream.seconds * 20, 'ffmpeg, through the scheduler')
  // Behind a redirect to another origin a browser says `Origin: null`, and scripts are sent no cookies.
  const edge = cluster.edge('a-1').url
  for (const [player, url, query] of [
    ['hls.js', signedUrl(edge), '&cookies'],
    ['native', signedUrl(cluster.steering), '&native'],
  ] as const) {
    const { page, refused } = await open(`src=${encodeURIComponent(url)}${query}`)
    t.ok((await playFor(page, 3)) >= 3, `${player} plays`)
    t.strictSame(refused, [], `${player} is refused nothing`)
    await page.close()
  }
})
