// Fetching and reading objects against a real origin: who shares a fetch, what is asked upstream, and what a
// reader gets when the origin changes, fails, or gives no means to put parts together.
import t from 'tap'
import { BufferPool } from '../../edge/cache/buffer-pool.ts'
import { Cache } from '../../edge/cache/cache.ts'
import { ObjectReader } from '../../edge/fill/object-reader.ts'
import { EdgewardError } from '../../src/errors.ts'
import { bytesOf } from '../kit/bytes.ts'
import { openParts } from '../kit/edge-parts.ts'
import type { EdgeParts } from '../kit/edge-parts.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Answer, Script, ScriptedOrigin } from '../kit/scripted-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'

const SLICE = 10_000
const BODY = bytesOf(1, 95_000)
const SECOND = bytesOf(2, 95_000)
const FRESH = { 'Cache-Control': 'max-age=60', ETag: '"v1"' }
const FILM: Answer = { body: BODY, fields: FRESH }

interface Rig extends EdgeParts {
  origin: ScriptedOrigin
  /** The ranges asked of the origin, one a request. */
  ranges(): (string | undefined)[]
}

async function openRig(t: TestScope, film: Script): Promise<Rig> {
  const origin = await startOrigin(t, { '/film': film })
  const ranges = () => origin.requests('/film').map(({ headers }) => headers.range)
  return Object.assign(openParts(t, { originUrl: origin.url, slice: SLICE }), { origin, ranges })
}

t.test('who asks while the head is awaited shares the fetch; who asks later finds the object', async (t) => {
  const body = BODY.subarray(0, 35_000)
  const rig = await openRig(t, { ...FILM, body, pauseAt: 'head' })
  const asking = Promise.all([rig.fetchObject(), rig.fetch(), rig.fetch()])
  await rig.origin.asked('/film')
  rig.origin.resume('/film')
  const [first, second, third] = await asking
  t.match([first, second, third], [{ collapsed: false }, { collapsed: true }, { collapsed: true }])
  t.equal(rig.cache.findMeta(rig.target.key)?.version, '"v1"/35000')
  const bodies = await Promise.all([rig.read(first.meta, first.pull), rig.readAnew(), rig.readAnew()])
  t.ok(bodies.every((read) => read.equals(body)))
  t.equal(rig.origin.count('/film'), 1)
  t.equal(rig.fills.running, 0)
})

t.test('a failure is told to all who waited, and not remembered', async (t) => {
  const rig = await openRig(t, { raw: 'nonsense\r\n\r\n' })
  const outcomes = await Promise.all([rig.fetch(), rig.fetch()])
  t.match(outcomes, [
    { kind: 'failed', error: { code: 'origin_protocol', source: 'origin' } },
    { kind: 'failed', collapsed: true },
  ])
  t.equal(rig.fills.running, 0)
  rig.origin.on('/film', FILM)
  t.ok((await rig.readAnew()).equals(BODY))
})

t.test('an answer for one client goes to one client', async (t) => {
  const rig = await openRig(t, (_request, nth) => ({
    ...FILM,
    body: `for ${nth}`,
    fields: { 'Cache-Control': 'private, max-age=60' },
    ...(nth === 1 ? { pauseAt: 'head' as const } : {}),
  }))
  const asking = Promise.all([1, 2, 3].map(() => rig.fetchObject()))
  await rig.origin.asked('/film')
  rig.origin.resume('/film')
  const bodies = await Promise.all(
    (await asking).map(async ({ meta, pull }) => (await rig.read(meta, pull)).toString()),
  )
  t.strictSame(bodies.toSorted(), ['for 1', 'for 2', 'for 3'])
  t.equal(rig.cache.findMeta(rig.target.key), undefined)
})

t.test('a stale object is asked after, and keeps its body on 304', async (t) => {
  const rig = await openRig(t, { ...FILM, fields: { ...FRESH, 'Cache-Control': 'max-age=0' } })
  const { meta, pull } = await rig.fetchObject()
  t.ok((await rig.read(meta, pull)).equals(BODY))
  const cookie = { ...FRESH, 'Set-Cookie': 'session=1' }
  rig.origin.on('/film', { ...FILM, fields: cookie })
  const outcome = await rig.fetch(0, meta)
  t.match(outcome, { kind: 'not-modified', meta: { lifetimeMs: 60_000 } })
  const known = rig.cache.findMeta(rig.target.key)
  t.equal(known?.fields.get('set-cookie'), undefined, 'the cookie was for whoever asked')
  t.ok((await rig.readAnew()).equals(BODY))
  t.equal(rig.origin.requests('/film')[1]?.headers['if-none-match'], '"v1"')
  t.equal(rig.origin.count('/film'), 2)
})

t.test('a range of a cold object asks for its slice, then for the next', async (t) => {
  const rig = await openRig(t, FILM)
  t.ok((await rig.readAnew(25_000, 41_000)).equals(BODY.subarray(25_000, 41_000)))
  t.strictSame(rig.ranges(), ['bytes=20000-29999', 'bytes=30000-39999', 'bytes=40000-49999'])
  t.ok((await rig.readAnew()).equals(BODY), 'and what is missing later')
})

t.test('without a validator parts cannot be put together: the whole is asked for', async (t) => {
  const fields = { 'Cache-Control': 'max-age=60' }
  for (const length of [35_000, 95_000]) {
    const body = BODY.subarray(0, length)
    const rig = await openRig(t, { body, fields })
    t.ok((await rig.readAnew(25_000, 31_000)).equals(body.subarray(25_000, 31_000)), `${length}`)
    t.strictSame(rig.ranges().slice(0, 2), ['bytes=20000-29999', undefined])
    // Several clients, one behind the other: none is cut.
    const first = await rig.readAnew()
    const next = await Promise.all([rig.readAnew(), rig.readAnew(5000)])
    t.ok(first.equals(body) && next[0]?.equals(body) && next[1]?.equals(body.subarray(5000)))
  }
})

t.test('an origin that sends a part unasked is not believed', async (t) => {
  const fields = { ...FRESH, 'Content-Range': 'bytes 0-94999/200000' }
  const rig = await openRig(t, { ...FILM, status: 206, fields })
  t.match(await rig.fetch(), { kind: 'failed', error: { code: 'origin_protocol' } })
})

t.test('a body of unknown length has one when it is whole', async (t) => {
  const rig = await openRig(t, {
    ...FILM,
    body: BODY.subarray(0, 20_000),
    framing: 'chunked',
    pauseAt: 15_000,
  })
  const first = await rig.fetchObject()
  const second = await rig.fetch()
  t.match(second, { kind: 'object', collapsed: true, meta: { length: null } }, 'shared while it arrives')
  const reading = rig.read(first.meta, first.pull)
  await rig.origin.paused('/film')
  t.equal(rig.cache.findMeta(rig.target.key), undefined, 'not known before its end')
  rig.origin.resume('/film')
  t.ok((await reading).equals(BODY.subarray(0, 20_000)))
  t.equal(rig.cache.findMeta(rig.target.key)?.length, 20_000)
  t.ok((await rig.readAnew(9000, 11_000)).equals(BODY.subarray(9000, 11_000)))
  t.equal(rig.origin.count('/film'), 1)
  t.equal(rig.fills.running, 0)
})

t.test('a body of unknown length that is cut leaves nothing behind', async (t) => {
  const rig = await openRig(t, { ...FILM, body: BODY.subarray(0, 20_000), framing: 'chunked', cutAt: 15_000 })
  const { meta, pull } = await rig.fetchObject()
  await t.rejects(rig.read(meta, pull), { code: 'origin_truncated' })
  t.equal(rig.cache.findMeta(rig.target.key), undefined)
  t.equal(rig.cache.memory.bytes, 0)
  t.equal(rig.fills.running, 0)
})

t.test('nobody there any more: no upstream connection is kept for a long body', async (t) => {
  for (const framing of ['chunked', 'length'] as const) {
    const rig = await openRig(t, { ...FILM, framing, ranges: 'ignore', pauseAt: 5000 })
    const { meta, pull } = await rig.fetchObject()
    const reader = new ObjectReader(
      rig.cache,
      rig.fills,
      () => rig.target,
      meta,
      { start: 0, end: 5000 },
      pull,
    )
    await reader.next()
    reader.close()
    rig.origin.resume('/film')
    await until('the pull is given up', () => !pull.reaches(9), 8000)
    t.pass(framing)
  }
})

t.test('an object that changes between two slices is never mixed', async (t) => {
  const rig = await openRig(t, FILM)
  await rig.readAnew(0, 5000)
  rig.origin.on('/film', { body: SECOND, fields: { ...FRESH, ETag: '"v2"' } })
  await t.rejects(rig.readAnew(), { message: 'the object changed at the origin' })
  t.ok((await rig.readAnew()).equals(SECOND), 'the next client gets the new one')
})

t.test(
  'who wants the slice that a pull waits at goes on with that pull, and so does its first reader',
  async (t) => {
    const rig = await openRig(t, FILM)
    const { meta, pull } = await rig.fetchObject()
    const from = (start: number, own: typeof pull | null) =>
      new ObjectReader(rig.cache, rig.fills, () => rig.target, meta, { start, end: BODY.length }, own)
    const first = from(0, pull)
    const begun = Buffer.from((await first.next()) ?? '')
    await until('it waits', () => rig.fills.landing.parkedAt(meta, 1, null) !== undefined)
    const late = await rig.read(meta, null, SLICE)
    t.ok(late.equals(BODY.subarray(SLICE)), 'all that comes after the boundary')
    const rest: Buffer[] = []
    for (let piece = await first.next(); piece !== null; piece = await first.next())
      rest.push(Buffer.from(piece))
    first.close()
    t.ok(Buffer.concat([begun, ...rest]).equals(BODY))
    t.equal(rig.fills.landing.parkedAt(meta, 1, null), undefined)
    t.strictSame(rig.ranges(), [undefined], 'one request for all of it')
    t.equal(rig.fills.running, 0)
  },
)

t.test('a pull that was let go while it waited is nobody’s to join', async (t) => {
  const rig = await openRig(t, FILM)
  const { meta, pull } = await rig.fetchObject()
  const place = pull.attach(0)
  await until('it waits', () => rig.fills.landing.parkedAt(meta, 1, null) !== undefined)
  pull.leave(place)
  t.equal(rig.fills.landing.parkedAt(meta, 1, null), undefined)
  t.ok((await rig.read(meta, null, SLICE, 2 * SLICE)).equals(BODY.subarray(SLICE, 2 * SLICE)))
  t.strictSame(rig.ranges(), [undefined, 'bytes=10000-19999'])
})

t.test('a slice that failed is asked for again by whoever comes next', async (t) => {
  const rig = await openRig(t, FILM)
  await rig.readAnew(0, 5000)
  rig.origin.on('/film', { ...FILM, cutAt: 5000 })
  await t.rejects(rig.readAnew(30_000, 40_000), { code: 'origin_truncated' })
  rig.origin.on('/film', FILM)
  t.ok((await rig.readAnew(30_000, 40_000)).equals(BODY.subarray(30_000, 40_000)))
  t.equal(rig.fills.running, 0)
})

t.test(
  'a read ahead that fails while its client is slow is met at the next piece, not by the process',
  async (t) => {
    const rig = await openRig(t, FILM)
    const { meta, pull } = await rig.fetchObject()
    await rig.read(meta, pull)
    const lost = new EdgewardError('disk', 'self', 'EIO')
    let reads = 0
    // A disk that fails from the second read on cannot be had for a test: only the file is played here.
    const broken = {
      meta: { ...meta, length: 600_000, sliceBytes: 600_000 },
      length: 600_000,
      read: async (_buffer: Buffer, _position: number, length: number) => {
        if (++reads >= 2) throw lost
        return length
      },
      close: () => {},
    }
    class OneSlice extends Cache {
      override findSlice(): undefined {}
      override async openSlice() {
        return broken
      }
    }
    const cache = new OneSlice(rig.cache.memory, rig.cache.disk, new BufferPool(), SLICE)
    const reader = new ObjectReader(
      cache,
      rig.fills,
      () => rig.target,
      broken.meta,
      { start: 0, end: 600_000 },
      null,
    )
    t.ok(await reader.next())
    // Node judges a rejection unhandled once the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve))
    await t.rejects(reader.next(), { code: 'disk' })
    reader.close()
  },
)

const RANGED = { ...FRESH, 'Accept-Ranges': 'bytes' }

t.test('a body that breaks off goes on by a range, where it is sure to be the same body', async (t) => {
  const breaking = (fields: Record<string, string>, ranges: 'honour' | 'ignore' = 'honour') =>
    openRig(t, (_request, nth) => ({ ...FILM, fields, ranges, ...(nth === 1 ? { cutAt: 25_000 } : {}) }))
  const whole = await breaking(RANGED)
  const { meta, pull } = await whole.fetchObject()
  t.ok((await whole.read(meta, pull)).equals(BODY))
  t.strictSame(whole.ranges().slice(0, 2), [undefined, 'bytes=20000-29999'])
  t.equal(whole.origin.requests('/film')[1]?.headers['if-range'], '"v1"')

  for (const rig of [
    await breaking({ ...RANGED, ETag: 'W/"v1"' }),
    await breaking({ ...RANGED, 'Cache-Control': 'no-store' }),
  ]) {
    const other = await rig.fetchObject()
    await t.rejects(rig.read(other.meta, other.pull), { code: 'origin_truncated' })
    t.equal(rig.origin.count('/film'), 1)
  }
  const always = await openRig(t, { ...FILM, fields: RANGED, cutAt: 5000 })
  const first = await always.fetchObject()
  await t.rejects(always.read(first.meta, first.pull), { code: 'origin_truncated' })
  t.equal(always.origin.count('/film'), 2, 'once for each slice')
})

t.test('a body that breaks off, and has changed since, is cut', async (t) => {
  const next = { ...FILM, body: SECOND, fields: { ...FRESH, ETag: '"v2"' } }
  const rig = await openRig(t, (_request, nth) =>
    nth === 1 ? { ...FILM, fields: RANGED, cutAt: 25_000 } : next,
  )
  const { meta, pull } = await rig.fetchObject()
  await t.rejects(rig.read(meta, pull), { message: 'the object changed at the origin' })
})
