// The disk tier on real directories: restarts, crashes, damage, a full file system, a disk that fails.
import {
  chmodSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import t from 'tap'
import type { ObjectMeta } from '../../edge/cache/object-meta.ts'
import { BufferPool } from '../../edge/cache/buffer-pool.ts'
import { DiskDirectory } from '../../edge/cache/disk/disk-directory.ts'
import { loadSliceFile } from '../../edge/cache/disk/disk-load.ts'
import { sliceIdOf } from '../../edge/cache/disk/disk-name.ts'
import { FieldBlock } from '../../src/http/fields.ts'
import { bytesOf } from '../kit/bytes.ts'
import { DiskRig, fileWith, openRig, readAll } from '../kit/disk-rig.ts'
import { objectMeta } from '../kit/edge-parts.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { tempDirectory } from '../kit/temp.ts'
import { mountTmpfs, tmpfsRefusal } from '../kit/tmpfs.ts'

const MIB = 2 ** 20
const BODY = bytesOf(1, 10_000)
const ROOM = { size: 100 * MIB, free: 0 }

function metaOf(key: string, change: Partial<ObjectMeta> = {}): ObjectMeta {
  return objectMeta({ key, length: BODY.length, ...change })
}

t.test('a slice is there at once, and stays', async (t) => {
  const rig = await openRig(t, ROOM, 3)
  for (let i = 0; i < 20; i++) rig.tier.store(metaOf(`p /${i}`), i, BODY.subarray(i))
  t.equal(rig.tier.waiting('p /7', 7)?.body.length, BODY.length - 7, 'from the queue')
  await rig.settle()
  t.equal(rig.tier.waiting('p /7', 7), undefined)
  for (let i = 0; i < 20; i++) t.ok((await rig.read(`p /${i}`, i))?.equals(BODY.subarray(i)))
  t.ok(
    rig.directories.every((cwd) => globSync('??/*', { cwd }).length > 0),
    'spread over the directories',
  )
  t.equal(rig.tier.mayHave('p /7', 0), false)
  t.equal(await rig.read('p /7', 0), undefined)
  await rig.close()
})

t.test('a restart serves what was kept, by name alone', async (t) => {
  const before = await openRig(t, ROOM)
  const empty = metaOf('p /empty', { length: 0 })
  before.tier.store(metaOf('p /a'), 0, BODY)
  before.tier.store(empty, 0, Buffer.alloc(0))
  await before.close()
  const after = before.successor(ROOM)
  t.ok((await after.read('p /a'))?.equals(BODY), 'before the index is rebuilt')
  t.equal((await after.read('p /empty'))?.length, 0)
  await after.settle()
  t.equal(after.tier.mayHave('p /b', 0), false)
  t.ok(after.tier.bytes > BODY.length)
  const slice = await after.tier.open('p /a', 0)
  t.strictSame(slice?.meta, metaOf('p /a'))
  slice?.close()
  await after.close()
})

t.test('beyond its size the oldest slices go, files and all', async (t) => {
  const rig = await openRig(t, { size: 100_000, free: 0 })
  for (let i = 0; i < 30; i++) {
    rig.tier.store(metaOf(`p /${i}`), 0, BODY)
    await rig.settle()
  }
  t.ok(rig.tier.bytes <= 100_000)
  const files = rig.files()
  t.ok(files.reduce((sum, file) => sum + statSync(file).size, 0) <= 100_000)
  t.equal(files.length, 9)
  t.equal(await rig.read('p /0'), undefined)
  t.ok((await rig.read('p /29'))?.equals(BODY))
  await rig.close()
  const smaller = rig.successor({ size: 50_000, free: 0 })
  await smaller.settle()
  t.equal(smaller.files().length, 4, 'a size made smaller holds from the start')
  await smaller.close()
})

t.test('a reader keeps its slice though it is evicted meanwhile', async (t) => {
  const rig = await openRig(t, { size: 15_000, free: 0 })
  rig.tier.store(metaOf('p /a'), 0, BODY)
  await rig.settle()
  const slice = await rig.tier.open('p /a', 0)
  rig.tier.store(metaOf('p /b'), 0, BODY)
  await rig.settle()
  t.equal(rig.files().length, 1)
  t.ok(slice !== undefined && (await readAll(slice)).equals(BODY))
  await rig.close()
})

t.test('a body changed between stop and start is not served, however the stop was', async (t) => {
  for (const clean of [true, false]) {
    const before = await openRig(t, ROOM)
    before.tier.store(metaOf('p /good'), 0, BODY)
    before.tier.store(metaOf('p /bad'), 0, BODY)
    await (clean ? before.close() : before.settle())
    const after = before.successor(ROOM, (directories) => flipLastByte(fileWith(directories, 'p /bad')))
    t.ok((await after.read('p /good'))?.equals(BODY))
    t.equal(await after.read('p /bad'), undefined)
    await after.settle()
    t.equal(after.files().length, 1, 'a file found bad is gone')
    t.match(after.lines, [{ reason: /CRC/ }])
    // Stored anew, and known to be good from then on.
    after.tier.store(metaOf('p /bad'), 0, BODY)
    await after.settle()
    t.ok((await after.read('p /bad'))?.equals(BODY))
    await after.close()
    if (!clean) await before.close()
  }
})

t.test('no file of other bytes is served or harms: cut, foreign, of another slice, empty', async (t) => {
  const damages: Record<string, (file: string, other: string) => void> = {
    empty: (file) => writeFileSync(file, ''),
    'cut in the prelude': (file) => writeFileSync(file, readFileSync(file).subarray(0, 20)),
    'cut in the head': (file) => writeFileSync(file, readFileSync(file).subarray(0, 100)),
    'cut in the body': (file) => writeFileSync(file, readFileSync(file).subarray(0, -1)),
    foreign: (file) => writeFileSync(file, 'GIF89a'.repeat(10_000)),
    'another object’s': (file, other) => writeFileSync(file, readFileSync(other)),
    'a folder': (file) => {
      rmSync(file)
      mkdirSync(file)
    },
    'a dangling link': (file) => {
      rmSync(file)
      symlinkSync('/nowhere/at/all', file)
    },
  }
  for (const [name, damage] of Object.entries(damages)) {
    const before = await openRig(t, ROOM)
    before.tier.store(metaOf('p /a'), 0, BODY)
    before.tier.store(metaOf('p /b'), 0, BODY)
    await before.settle()
    const after = before.successor(ROOM, (directories) =>
      damage(fileWith(directories, 'p /a'), fileWith(directories, 'p /b')),
    )
    await before.close()
    await after.settle()
    t.equal(await after.read('p /a'), undefined, name)
    t.ok((await after.read('p /b'))?.equals(BODY), `${name}: the others are`)
    t.equal(after.tier.mayHave('p /never', 0), false, `${name}: the index is complete`)
    t.notOk(after.tier.degraded)
    await after.close()
  }
})

t.test('unfinished files of a crash are swept at the start', async (t) => {
  const before = await openRig(t, ROOM)
  await before.settle()
  await before.close()
  const after = before.successor(ROOM, ([directory = '']) =>
    writeFileSync(path.join(directory, 'tmp', '0'), BODY),
  )
  await after.settle()
  t.strictSame(globSync('tmp/*', { cwd: after.directories[0] ?? '' }), [])
  await after.close()
})

t.test('writes that fail quarantine the directory; what is in memory goes on', async (t) => {
  const rig = await openRig(t, ROOM)
  await rig.settle()
  const [directory = ''] = rig.directories
  rmSync(path.join(directory, 'tmp'), { recursive: true })
  for (let i = 0; i < 4; i++) rig.tier.store(metaOf(`p /${i}`), 0, BODY)
  await rig.settle()
  t.equal(rig.tier.degraded, false)
  rig.tier.store(metaOf('p /4'), 0, BODY)
  await rig.settle()
  t.equal(rig.tier.degraded, true)
  t.equal(rig.tier.mayHave('p /4', 0), false)
  t.equal(await rig.read('p /4'), undefined)
  await rig.close()
  t.strictSame(globSync('clean-stop', { cwd: directory }), [], 'not trusted at the next start')
})

t.test('reads that fail quarantine it too; each failed slice is asked for once', async (t) => {
  const rig = await openRig(t, ROOM)
  for (let i = 0; i < 6; i++) rig.tier.store(metaOf(`p /${i}`), 0, BODY)
  await rig.settle()
  const files = Array.from({ length: 5 }, (_, i) => fileWith(rig.directories, `"p /${i}"`))
  for (const file of files) {
    // A link to itself cannot be opened: as good an error as a broken disk's.
    rmSync(file)
    symlinkSync(file, file)
  }
  for (let i = 0; i < 4; i++) {
    t.equal(await rig.read(`p /${i}`), undefined)
    t.equal(await rig.read(`p /${i}`), undefined)
  }
  t.equal(rig.tier.degraded, false)
  t.ok((await rig.read('p /5'))?.equals(BODY))
  t.equal(await rig.read('p /4'), undefined)
  t.equal(rig.tier.degraded, true)
  t.equal(await rig.read('p /5'), undefined)
  t.equal(rig.tier.bytes, 0)
  await rig.close()
})

t.test('a directory that cannot be written stops the start', async (t) => {
  const parent = await tempDirectory(t)
  writeFileSync(path.join(parent, 'file'), '')
  t.throws(() => new DiskRig([path.join(parent, 'file')], ROOM), { code: /EEXIST|ENOTDIR/ })
  if (process.getuid?.() === 0) return
  chmodSync(parent, 0o500)
  t.throws(() => new DiskRig([path.join(parent, 'new')], ROOM), { code: 'EACCES' })
})

t.test('a head too long to be read back is not written', async (t) => {
  const rig = await openRig(t, ROOM)
  const long = `"${'x'.repeat(15_000)}"`
  rig.tier.store(
    metaOf('p /a', { etag: long, version: long, fields: new FieldBlock(['ETag', long]) }),
    0,
    BODY,
  )
  await rig.settle()
  t.strictSame(rig.files(), [])
  t.equal(rig.tier.dropped, 1)
  t.equal(rig.tier.waiting('p /a', 0), undefined)
  await rig.close()
})

t.test('the write queue is bounded', async (t) => {
  const rig = await openRig(t, ROOM)
  const body = Buffer.alloc(8 * MIB)
  for (let i = 0; i < 12; i++) rig.tier.store(metaOf(`p /${i}`), 0, body)
  t.equal(rig.tier.dropped, 4)
  await rig.close()
  t.equal(rig.files().length, 8)
})

for (const free of [undefined, 0]) {
  // With nothing to be left free, it is the failed write that tells.
  const name = `a full file system, free ${free}: no torn slice, room is made`
  t.test(name, { skip: tmpfsRefusal() }, async (t) => {
    const rig = new DiskRig([path.join(await mountTmpfs(t, '1m'), 'cache')], { size: 100 * MIB, free })
    const body = bytesOf(2, 150_000)
    for (let i = 0; i < 30; i++) {
      rig.tier.store(metaOf(`p /${i}`), 0, body)
      await rig.settle()
    }
    t.equal(rig.tier.degraded, false)
    let kept = 0
    for (let i = 0; i < 30; i++) {
      const found = await rig.read(`p /${i}`)
      if (found === undefined) continue
      t.ok(found.equals(body), `slice ${i} is whole`)
      kept++
    }
    t.ok(kept >= 3, `${kept} slices are kept`)
    t.ok(
      [27, 28, 29].some((i) => rig.tier.mayHave(`p /${i}`, 0)),
      'and not only the first ones',
    )
    await rig.close()
  })
}

/** In a later tick of the file system's clock than all before: within one, a change after the stop has the stop's time. */
function flipLastByte(file: string): void {
  const bytes = readFileSync(file)
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  writeFileSync(file, bytes)
  const { mtimeMs } = statSync(file)
  while (statSync(file).mtimeMs === mtimeMs) writeFileSync(file, bytes)
}

t.test('a file that could not be opened says nothing of the one that took its place meanwhile', async (t) => {
  const work: Promise<unknown>[] = []
  const directory = new DiskDirectory(
    { path: await tempDirectory(t), size: 2 ** 30, free: 0 },
    recordingLog().log,
    (_name, job) => work.push(job),
  )
  await Promise.all(work)
  const id = sliceIdOf('p /a', 0)
  const load = (retired: boolean) =>
    loadSliceFile(directory, { key: 'p /a', index: 0, id }, new BufferPool(), () => retired)
  for (const damage of [
    () => rmSync(directory.fileOf(id)),
    () => writeFileSync(directory.fileOf(id), 'garbage'),
  ]) {
    await directory.write(id, [Buffer.from('not looked at')])
    damage()
    t.equal(await load(true), undefined)
    t.equal(directory.mayHave(id), true, 'the newer one is kept')
    t.equal(await load(false), undefined)
    t.equal(directory.mayHave(id), false)
  }
  await directory.close()
})
