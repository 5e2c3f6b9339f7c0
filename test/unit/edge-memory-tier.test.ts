// The memory tier: bounded by bytes, least recently used first out.
import t from 'tap'
import { MemoryTier } from '../../edge/cache/memory-tier.ts'
import type { ObjectMeta } from '../../edge/cache/object-meta.ts'
import { FieldBlock, NO_FIELDS } from '../../src/http/fields.ts'
import { objectMeta } from '../kit/edge-parts.ts'

const MIB = 2 ** 20

function metaOf(key: string, change: Partial<ObjectMeta> = {}): ObjectMeta {
  return objectMeta({ key, ...change })
}

t.test('slices of one object do not meet those of another', async (t) => {
  const tier = new MemoryTier(10 * MIB)
  tier.set(metaOf('p /a'), 0, Buffer.from('a0'))
  tier.set(metaOf('p /a'), 1, Buffer.from('a1'))
  tier.set(metaOf('p /a1'), 0, Buffer.from('b0'))
  t.equal(tier.get('p /a', 0)?.body.toString(), 'a0')
  t.equal(tier.get('p /a', 1)?.body.toString(), 'a1')
  t.equal(tier.get('p /a1', 0)?.body.toString(), 'b0')
  t.equal(tier.get('p /a', 2), undefined)
})

t.test('the least recently used goes first, and the bound holds', async (t) => {
  const tier = new MemoryTier(5 * MIB)
  const body = Buffer.alloc(MIB)
  for (let i = 0; i < 4; i++) tier.set(metaOf(`p /${i}`), 0, body)
  tier.get('p /0', 0)
  tier.set(metaOf('p /4'), 0, body)
  t.ok(tier.bytes <= 5 * MIB)
  t.strictSame(
    [0, 1, 2, 3, 4].filter((i) => tier.get(`p /${i}`, 0) !== undefined),
    [0, 2, 3, 4],
  )
})

t.test('an empty body, or a small one, costs what its entry costs', async (t) => {
  const tier = new MemoryTier(MIB)
  for (let i = 0; i < 5000; i++) tier.set(metaOf(`p /${i}`), 0, Buffer.alloc(0))
  t.ok(tier.bytes <= MIB && tier.bytes > MIB / 2)
  t.equal(tier.get('p /0', 0), undefined)
})

t.test('one body never takes more than a quarter', async (t) => {
  const tier = new MemoryTier(4 * MIB)
  tier.set(metaOf('p /small'), 0, Buffer.alloc(1000))
  tier.set(metaOf('p /large'), 0, Buffer.alloc(2 * MIB))
  tier.set(metaOf('p /quarter'), 0, Buffer.alloc(MIB))
  t.equal(tier.get('p /quarter', 0), undefined, 'its head counts too')
  t.strictSame(
    [1000, MIB, 2 * MIB].map((bytes) => tier.takes(metaOf('p /a'), bytes)),
    [true, false, false],
  )
  t.equal(tier.get('p /large', 0), undefined)
  t.ok(tier.get('p /small', 0))
})

t.test('a tier of no size keeps nothing and does no harm', async (t) => {
  const tier = new MemoryTier(0)
  tier.set(metaOf('p /a'), 0, Buffer.from('a'))
  t.equal(tier.get('p /a', 0), undefined)
})

t.test('a refreshed head goes to the same body alone', async (t) => {
  const tier = new MemoryTier(MIB)
  tier.set(metaOf('p /a'), 0, Buffer.from('a'))
  const fields = new FieldBlock(['X', '2'])
  tier.refresh(metaOf('p /a', { fields }), () => false)
  t.equal(tier.get('p /a', 0)?.meta.fields, NO_FIELDS)
  tier.refresh(metaOf('p /a', { fields }), ({ key }) => key === 'p /a')
  t.equal(tier.get('p /a', 0)?.meta.fields, fields)
  t.equal(tier.get('p /a', 0)?.body.toString(), 'a')
})
