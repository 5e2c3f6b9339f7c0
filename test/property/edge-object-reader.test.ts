// Any range of an object of any length in slices of any size, from wherever its bytes are: always the same range
// of the original bytes.
import fc from 'fast-check'
import t from 'tap'
import { Upstreams } from '../../edge/upstream/upstreams.ts'
import { bytesOf } from '../kit/bytes.ts'
import { EdgeParts } from '../kit/edge-parts.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { Answer } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const BODY = bytesOf(1, 70_000)
const FRESH = { 'Cache-Control': 'max-age=600', ETag: '"v1"' }
const BARE = { 'Cache-Control': 'max-age=600' }

/** How the origin gives it. */
const WAYS: Record<string, Partial<Answer>> = {
  'length and ranges': { fields: FRESH },
  'length, no ranges': { fields: FRESH, ranges: 'ignore' },
  'length, no validator': { fields: BARE },
  'length unknown': { fields: FRESH, framing: 'chunked' },
  'length unknown, no ranges, no validator': { fields: BARE, framing: 'chunked', ranges: 'ignore' },
  'until the close': { fields: FRESH, framing: 'close', ranges: 'ignore' },
  'for one client': { fields: { 'Cache-Control': 'private', ETag: '"v1"' } },
  'for one client, no validator': { fields: { 'Cache-Control': 'no-store' } },
  'for one client, length unknown': { fields: { 'Cache-Control': 'no-store' }, framing: 'chunked' },
}

const slice = fc.constantFrom(1000, 1024, 4096, 10_000, 65_536)
/** Lengths around the boundaries of slices, and of the four that are pulled whole. */
const shape = slice.chain((sliceBytes) =>
  fc.record({
    sliceBytes: fc.constant(sliceBytes),
    length: fc.oneof(
      fc
        .tuple(fc.constantFrom(0, 1, 2, 4, 5), fc.constantFrom(-1, 0, 1))
        .map(([count, more]) => Math.min(BODY.length, Math.max(0, count * sliceBytes + more))),
      fc.nat(Math.min(BODY.length, 12 * sliceBytes)),
    ),
    // A share of the length, so that it shrinks with it.
    from: fc.double({ min: 0, max: 1, noNaN: true }),
    to: fc.double({ min: 0, max: 1, noNaN: true }),
    pieces: fc.constantFrom<Partial<Answer>>(
      {},
      { trickle: { bytes: 700, everyMs: 0 } },
      { trickle: { bytes: 4096, everyMs: 0 } },
    ),
    again: fc.boolean(),
  }),
)

for (const [way, how] of Object.entries(WAYS)) {
  for (const disk of [false, true]) {
    t.test(`${way}, ${disk ? 'disk' : 'memory'}`, async (t) => {
      const origin = await startOrigin(t, {})
      const upstreams = new Upstreams()
      t.teardown(() => upstreams.close())
      const directory = disk ? await tempDirectory(t) : undefined
      const parts = new Map<number, EdgeParts>()
      t.teardown(() => Promise.all([...parts.values()].map(({ cache }) => cache.disk.close())))
      let object = 0

      await fc.assert(
        fc.asyncProperty(shape, async ({ sliceBytes, length, from, to, pieces, again }) => {
          let edge = parts.get(sliceBytes)
          if (edge === undefined) {
            const where = directory === undefined ? {} : { directory: `${directory}/${sliceBytes}` }
            edge = new EdgeParts({ originUrl: origin.url, slice: sliceBytes, ...where }, upstreams)
            parts.set(sliceBytes, edge)
          }
          const path = `/${object++}`
          edge.target = { ...edge.target, path, key: `p ${path}`, primaryKey: `p ${path}` }
          const body = BODY.subarray(0, length)
          origin.on(path, { body, ...how, ...pieces })
          const [start = 0, end = 0] = [from, to]
            .map((share) => Math.floor(share * length))
            .toSorted((a, b) => a - b)
          const expected = body.subarray(start, end)

          // Cold, then from what is kept; while it arrives, if there is a second client.
          const reads = again ? [edge.readAnew(start, end), edge.readAnew()] : [edge.readAnew(start, end)]
          const [part, whole = body] = await Promise.all(reads)
          const later = await edge.readAnew(start, end)
          const all = await edge.readAnew()
          return (
            part?.equals(expected) === true &&
            whole.equals(body) &&
            later.equals(expected) &&
            all.equals(body)
          )
        }),
        // In each of eighteen ways: 360 objects, each read three times at least.
        { numRuns: disk ? 15 : 25 },
      )
      t.pass('the same bytes')
      // One that its reader left early may still be arriving.
      await until('no fetch is left over', () =>
        [...parts.values()].every(({ fills }) => fills.running === 0),
      )
    })
  }
}
