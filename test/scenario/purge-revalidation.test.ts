// What was purged hard does not come back by a 304. The origin gives all its versions one strong ETag, so that every
// condition holds: which body an edge has under that name, the edge alone can know.
import { readdirSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { outcomeOf, post } from '../kit/purging.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const SLICE_BYTES = 65_536
const FIELDS = { 'Cache-Control': 'no-cache', ETag: '"same"', 'Surrogate-Key': 'everything' }
/** A purge by its URL removes the object besides. */
const WAYS = [
  { scope: 'prefix', value: '/' },
  { scope: 'tag', value: 'everything' },
  { scope: 'property', value: '' },
] as const

/** What the origin has published last: each body is of this digit. */
let version = 0
const origin = await startOrigin(t, {})
const edge = await startEdge(t, { origin: origin.url, slice: '64KiB' })

function answer(bytes: number) {
  return { body: String(version).repeat(bytes), fields: FIELDS }
}

async function publish(way: (typeof WAYS)[number]): Promise<void> {
  version++
  const { status, text } = await post(edge.admin, { property: 'all', ...way, soft: false })
  if (status !== 200) throw new Error(text)
}

function digitsIn(text: string): string {
  return [...new Set(text)].join('')
}

t.test(
  'a first slice that lies on disk, under the head of a later one that was asked for by itself',
  async (t) => {
    const last = { headers: { Range: `bytes=${2 * SLICE_BYTES}-` } }
    for (const [nth, way] of WAYS.entries()) {
      origin.on(`/${nth}`, () => answer(3 * SLICE_BYTES))
      const url = `${edge.url}/${nth}`
      await get(url)
      await until('all of it is on disk', () => slicesOnDisk() === 3 * (nth + 1))
      await publish(way)
      t.equal(digitsIn((await get(url, last)).text), String(version))
      const again = await get(url, last)
      t.same([outcomeOf(again), digitsIn(again.text)], ['stale 304', String(version)])
      t.equal(digitsIn((await get(url)).text), String(version), way.scope)
    }
  },
)

t.test(
  'what one waited to ask about, behind an answer that turned out to be for another alone',
  async (t) => {
    for (const way of WAYS) {
      origin.on('/page', () => answer(1000))
      const url = `${edge.url}/page`
      await get(url)
      let nth = 0
      const own = { 'Cache-Control': 'no-store', ETag: '"other"' }
      origin.on('/page', () =>
        ++nth === 1 ? { ...answer(1000), fields: own, pauseAt: 'head' as const } : answer(1000),
      )
      const early = [get(url), get(url), get(url)]
      await origin.paused('/page')
      await publish(way)
      origin.resume('/page')
      await Promise.all(early)
      t.equal(digitsIn((await get(url)).text), String(version), way.scope)
    }
  },
)

function slicesOnDisk(): number {
  const names = readdirSync(path.join(edge.directory, 'cache'), { recursive: true, encoding: 'utf8' })
  return names.filter((name) => /^[0-9a-f]{2}\/[0-9a-f]+/.test(name)).length
}
