// What a cache directory remembers over a restart, what it forgets for good, and who may use it.
import { globSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { DiskRig, fileWith, openRig } from '../kit/disk-rig.ts'
import { bytesOf } from '../kit/bytes.ts'
import { objectMeta } from '../kit/edge-parts.ts'

const BODY = bytesOf(1, 10_000)
const ROOM = { size: 2 ** 30, free: 0 }
/** Ten slices and their heads. */
const TEN = { size: 108_000, free: 0 }

async function store(rig: DiskRig, ...keys: string[]): Promise<void> {
  for (const key of keys) {
    rig.tier.store(objectMeta({ key }), 0, BODY)
    await rig.settle()
  }
}

function here(rig: DiskRig, keys: readonly string[]): string[] {
  return keys.filter((key) => rig.tier.mayHave(key, 0))
}

const keysOf = (letter: string, count: number) => Array.from({ length: count }, (_, i) => `p /${letter}${i}`)

t.test('a clean stop remembers what was used', async (t) => {
  const before = await openRig(t, TEN)
  const keys = keysOf('a', 10)
  await store(before, ...keys)
  t.equal(here(before, keys).length, 10)
  for (const key of keys.slice(0, 5)) await before.read(key)
  await before.close()

  const after = before.successor(TEN)
  await after.settle()
  await store(after, ...keysOf('b', 4))
  t.strictSame(here(after, keys.slice(0, 5)), keys.slice(0, 5), 'used before the restart')
  t.ok(here(after, keys.slice(5)).length <= 2, 'not used')
  await after.close()
})

t.test('after a crash the files tell their age', async (t) => {
  const before = await openRig(t, TEN)
  const keys = keysOf('a', 10)
  await store(before, ...keys)
  const after = before.successor(TEN, (directories) => {
    // Written in another order than their names have.
    keys.forEach((key, i) => utimesSync(fileWith(directories, `"${key}"`), 1000 + i, 1000 + i))
  })
  await after.settle()
  t.strictSame(here(after, keys), keys)
  await store(after, 'p /new')
  t.strictSame(here(after, keys), keys.slice(1), 'the oldest has gone')
  await Promise.all([before.close(), after.close()])
})

t.test('a mark of a clean stop counts once, and only whole', async (t) => {
  const before = await openRig(t, ROOM)
  await store(before, 'p /a')
  await before.close()
  const [directory = ''] = before.directories
  const mark = path.join(directory, 'clean-stop')
  const bytes = readFileSync(mark)
  const second = before.successor(ROOM)
  await second.settle()
  t.strictSame(globSync('{clean-stop,tmp/*}', { cwd: directory }), [], 'taken at the start')
  await second.close()
  t.ok(statSync(mark).size > 0)
  for (const damaged of [Buffer.alloc(0), bytes.subarray(0, -1), Buffer.alloc(bytes.length)]) {
    writeFileSync(mark, damaged)
    const after = before.successor(ROOM)
    await after.settle()
    t.ok((await after.read('p /a'))?.equals(BODY), 'found by looking')
    t.equal(after.tier.slices, 1)
    await after.close()
  }
})

t.test('files whose names no slice has are left alone', async (t) => {
  const before = await openRig(t, ROOM)
  await store(before, 'p /a')
  const after = before.successor(ROOM, ([directory = '']) => {
    writeFileSync(path.join(directory, '00', 'notes.txt'), 'x')
    writeFileSync(path.join(directory, 'ff', '0'.repeat(24)), 'x')
    mkdirSync(path.join(directory, 'ff', 'f'.repeat(24)))
  })
  await after.settle()
  t.equal(after.tier.slices, 1)
  t.equal(after.files().length, 4)
  t.match(after.lines, [{ strangers: 2, slices: 1 }])
  await Promise.all([before.close(), after.close()])
})

t.test('removed: at once, and for every later start', async (t) => {
  const rig = await openRig(t, ROOM)
  await store(rig, 'p /a', 'p /b')
  await rig.read('p /a')
  rig.tier.store(objectMeta({ key: 'p /c' }), 0, BODY)
  for (const key of ['p /a', 'p /c', 'p /never']) await rig.tier.remove(key)
  t.strictSame(here(rig, ['p /a', 'p /b', 'p /c']), ['p /b'])
  t.equal(await rig.read('p /a'), undefined)
  const after = rig.successor(ROOM)
  t.equal(await after.read('p /a'), undefined)
  t.equal(await after.read('p /c'), undefined)
  t.ok(await after.read('p /b'))
  await after.close()
  await rig.close()
})

t.test(
  'replaced while it is open: the reader ends with the old bytes, the next begins with the new',
  async (t) => {
    const rig = await openRig(t, ROOM)
    await store(rig, 'p /a')
    const old = await rig.tier.open('p /a', 0)
    const buffer = Buffer.alloc(5000)
    await old?.read(buffer, 0, 5000)
    const changed = bytesOf(2, 10_000)
    rig.tier.store(objectMeta({ key: 'p /a', version: '"v2"/10000' }), 0, changed)
    await rig.settle()
    t.equal(await old?.read(buffer, 5000, 5000), 5000)
    t.ok(buffer.equals(BODY.subarray(5000)), 'still the old')
    const fresh = await rig.tier.open('p /a', 0)
    t.equal(fresh?.meta.version, '"v2"/10000')
    old?.close()
    fresh?.close()
    t.ok((await rig.read('p /a'))?.equals(changed))
    await rig.close()
  },
)

t.test('one edge a directory', async (t) => {
  const rig = await openRig(t, ROOM)
  t.throws(() => new DiskRig(rig.directories, ROOM), {
    message: `is used by another edge, process ${process.pid}`,
  })
  await store(rig, 'p /a')
  await rig.close()
  const after = new DiskRig(rig.directories, ROOM)
  t.ok(await after.read('p /a'))
  await after.settle()
  await after.close()
})
