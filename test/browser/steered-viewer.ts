// A viewer in headless Chromium whose player may be moved: two edges of one port, one of IPv4 and one of IPv6, since
// Content Steering changes the host alone; the demo's recording and its live channel.
import { once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import { systemClock } from '../../src/clock.ts'
import { loadMedia } from '../../src/commands/demo/media.ts'
import { createOriginServer } from '../../src/commands/demo/origin.ts'
import { playFor, watch } from './browser.ts'
import type { SegmentLog } from './browser.ts'
import { startCluster } from '../kit/cluster.ts'
import type { Cluster } from '../kit/cluster.ts'
import type { TestEdge } from '../kit/edge.ts'
import { freePort } from '../kit/ports.ts'
import type { TestScope } from '../kit/scope.ts'

export interface SteeredViewer {
  readonly cluster: Cluster
  readonly page: Page
  readonly log: SegmentLog
  /** The edge that it began at, and the other one. */
  readonly first: TestEdge
  readonly other: TestEdge
}

/** Resolves when it has played two seconds. `open` is given the scheduler's URL of the main playlist. */
export async function startSteeredViewer(
  t: TestScope,
  browser: Browser,
  { stream, ttl }: { stream: 'vod' | 'live'; ttl: string },
  open: (page: Page, url: string) => Promise<unknown>,
): Promise<SteeredViewer> {
  const port = await freePort('::1')
  const cluster = await startCluster(t, {
    origin: await startMediaOrigin(t),
    sites: { one: { edges: ['four', 'six'] } },
    listens: { four: `127.0.0.1:${port}`, six: `[::1]:${port}` },
    property: { contentSteering: { ttl } },
  })
  const page = await browser.newPage()
  t.teardown(() => page.close())
  const log = watch(page)
  await open(page, `${cluster.steering}/~shows/${stream}/fmp4/main.m3u8`)
  await playFor(page, 2)
  const edges = [...cluster.edges.values()]
  const first = edges.find(({ url }) => log.origins.has(url))
  const other = edges.find((edge) => edge !== first)
  if (first === undefined || other === undefined || log.origins.size !== 1)
    throw new Error(`not one edge has served: ${[...log.origins].join(', ')}`)
  return { cluster, page, log, first, other }
}

async function startMediaOrigin(t: TestScope): Promise<string> {
  const server = createOriginServer(await loadMedia(), systemClock)
  const port = await freePort()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${port}`
}
