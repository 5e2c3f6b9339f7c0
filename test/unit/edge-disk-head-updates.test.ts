// After a 304 the head on disk is the new one and the body is untouched: in the same file where it fits, never for
// another version, and never seen half-written.
import { statSync } from 'node:fs'
import t from 'tap'
import type { ObjectMeta } from '../../edge/cache/object-meta.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { bytesOf } from '../kit/bytes.ts'
import { fileWith, openRig, readAll } from '../kit/disk-rig.ts'
import type { DiskRig } from '../kit/disk-rig.ts'
import { objectMeta } from '../kit/edge-parts.ts'

const BODY = bytesOf(1, 10_000)
const ROOM = { size: 2 ** 30, free: 0 }
const META = objectMeta({ length: BODY.length, receivedMs: 1000, fields: new FieldBlock(['X', 'first']) })
const LATER: Partial<ObjectMeta> = {
  receivedMs: 2000,
  lifetimeMs: 60_000,
  fields: new FieldBlock(['X', 'second']),
}

async function stored(t: Parameters<typeof openRig>[0]): Promise<DiskRig> {
  const rig = await openRig(t, ROOM)
  rig.tier.store(META, 0, BODY)
  await rig.settle()
  return rig
}

/** As where nothing was purged. */
function refresh(rig: DiskRig, meta: ObjectMeta): void {
  rig.tier.refresh(meta, ({ version }) => version === meta.version)
}

async function headOf(rig: DiskRig): Promise<ObjectMeta | undefined> {
  const slice = await rig.tier.open(META.key, 0)
  slice?.close()
  return slice?.meta
}

t.test('the head is written over the old one, and the next process finds it', async (t) => {
  for (const end of ['stop', 'crash']) {
    const rig = await stored(t)
    const before = statSync(fileWith(rig.directories, 'first'))
    t.equal((await headOf(rig))?.fields.get('x'), 'first')
    refresh(rig, { ...META, ...LATER })
    await rig.settle()
    const after = statSync(fileWith(rig.directories, 'second'))
    t.strictSame([after.ino, after.size], [before.ino, before.size], 'the same file')
    t.equal((await headOf(rig))?.fields.get('x'), 'second', 'this process finds it too')
    if (end === 'stop') await rig.close()
    const next = rig.successor(ROOM)
    t.match(await headOf(next), { lifetimeMs: 60_000, receivedMs: 2000, key: META.key })
    t.ok((await next.read(META.key))?.equals(BODY), `the same body after a ${end}`)
    await next.close()
    if (end === 'crash') await rig.close()
  }
})

t.test('again and again, shorter and longer: what does not fit makes a new file', async (t) => {
  const rig = await stored(t)
  for (const [i, length] of [10, 200, 0, 5000, 4000, 20].entries()) {
    const fields = new FieldBlock(['X', 'y'.repeat(length)])
    refresh(rig, { ...META, ...LATER, fields, receivedMs: 2000 + i })
    await rig.settle()
    const slice = await rig.tier.open(META.key, 0)
    t.equal(slice?.meta.fields.get('x')?.length, length)
    t.ok(slice !== undefined && (await readAll(slice)).equals(BODY))
  }
  t.equal(rig.files().length, 1)
  await rig.close()
})

t.test('another version, an older answer, an object that is gone: nothing is written', async (t) => {
  const rig = await stored(t)
  refresh(rig, { ...META, ...LATER, version: '"v2"/10000' })
  await rig.settle()
  t.equal((await headOf(rig))?.fields.get('x'), 'first')
  refresh(rig, { ...META, ...LATER, receivedMs: 999 })
  await rig.settle()
  t.equal((await headOf(rig))?.fields.get('x'), 'first')
  refresh(rig, { ...META, ...LATER })
  await rig.tier.remove(META.key)
  await rig.settle()
  t.strictSame(rig.files(), [])
  refresh(rig, { ...META, ...LATER })
  await rig.settle()
  t.strictSame([rig.files(), rig.tier.degraded], [[], false])
  await rig.close()
})

t.test('on its way to disk still: it goes there with the new head', async (t) => {
  const rig = await openRig(t, ROOM)
  rig.tier.store(META, 0, BODY)
  refresh(rig, { ...META, ...LATER })
  await rig.settle()
  t.equal((await headOf(rig))?.fields.get('x'), 'second')
  t.ok((await rig.read(META.key))?.equals(BODY))
  await rig.close()
})

t.test('who reads meanwhile reads the body, whole, and one head or the other', async (t) => {
  const rig = await stored(t)
  const reader = await rig.tier.open(META.key, 0)
  const reads: Promise<Buffer | undefined>[] = []
  for (let i = 0; i < 200; i++) {
    refresh(rig, { ...META, ...LATER, receivedMs: 2000 + i, lifetimeMs: i })
    for (let j = 0; j < 3; j++) {
      reads.push(rig.read(META.key))
    }
    // Some are opened while the file is written.
    if (i % 10 === 0) await Promise.all(reads.slice(-3))
  }
  const bodies = await Promise.all(reads)
  t.ok(
    bodies.every((body) => body?.equals(BODY)),
    'found, and the same',
  )
  await rig.settle()
  t.equal((await headOf(rig))?.lifetimeMs, 199, 'the newest in the end')
  t.ok(reader !== undefined && (await readAll(reader)).equals(BODY), 'who came before')
  t.strictSame(
    rig.lines.filter((line) => JSON.stringify(line).includes('bad cache file')),
    [],
  )
  await rig.close()
})
