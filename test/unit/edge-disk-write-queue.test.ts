// Writes wait, are bounded, and the newest of a name is the one that stays.
import t from 'tap'
import type { PendingWrite } from '../../edge/cache/disk/disk-write-queue.ts'
import { WriteQueue } from '../../edge/cache/disk/disk-write-queue.ts'
import { DISK_WRITES_AT_ONCE, DISK_WRITE_QUEUE_BYTES_MAX } from '../../edge/limits.ts'
import { objectMeta } from '../kit/edge-parts.ts'

/** A queue whose writes end when the test says so. */
class Disk {
  readonly started: string[] = []
  readonly undone: string[] = []
  readonly queue: WriteQueue
  #ends: (() => void)[] = []

  constructor() {
    this.queue = new WriteQueue(
      (_name, work) => void work,
      (pending) => {
        this.started.push(textOf(pending))
        const { promise, resolve } = Promise.withResolvers<void>()
        this.#ends.push(resolve)
        return promise
      },
      async (pending) => void this.undone.push(textOf(pending)),
    )
  }

  add(key: string, body: string): boolean {
    return this.queue.add({ meta: objectMeta({ key }), index: 0, body: Buffer.from(body) })
  }

  /** Ends the longest running write, and lets what follows from it happen. */
  async end(): Promise<void> {
    this.#ends.shift()?.()
    await new Promise((resolve) => setImmediate(resolve))
  }
}

function textOf({ body }: PendingWrite): string {
  return body.toString()
}

t.test('a few at once, the rest in turn', async (t) => {
  const disk = new Disk()
  for (let i = 0; i < 6; i++) disk.add(`p /${i}`, String(i))
  t.strictSame(disk.started, ['0', '1', '2', '3'].slice(0, DISK_WRITES_AT_ONCE))
  t.equal(disk.queue.find('p /5', 0)?.body.toString(), '5')
  let done = false
  void disk.queue.done().then(() => (done = true))
  for (let i = 0; i < 5; i++) await disk.end()
  t.equal(done, false)
  await disk.end()
  t.equal(done, true)
  t.equal(disk.started.length, 6)
  t.equal(disk.queue.find('p /5', 0), undefined)
})

t.test('of two for one name, the newer is written last, and never beside the older', async (t) => {
  const disk = new Disk()
  disk.add('p /a', 'first')
  disk.add('p /a', 'second')
  disk.add('p /a', 'third')
  t.strictSame(disk.started, ['first'])
  t.equal(disk.queue.find('p /a', 0)?.body.toString(), 'third', 'served from the newest')
  await disk.end()
  t.strictSame(disk.started, ['first', 'third'])
  await disk.end()
  t.equal(disk.queue.find('p /a', 0), undefined)
})

t.test('removed while it waits: not written; while it is written: undone', async (t) => {
  const disk = new Disk()
  for (let i = 0; i < DISK_WRITES_AT_ONCE + 1; i++) disk.add(`p /${i}`, String(i))
  await disk.queue.remove(`p /${DISK_WRITES_AT_ONCE}`, 0)
  let removed = false
  void disk.queue.remove('p /0', 0).then(() => (removed = true))
  t.equal(disk.queue.find('p /0', 0), undefined, 'at once')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(removed, false)
  for (let i = 0; i <= DISK_WRITES_AT_ONCE; i++) await disk.end()
  t.equal(removed, true)
  t.strictSame(disk.undone, ['0'])
  t.equal(disk.started.length, DISK_WRITES_AT_ONCE)
})

t.test('removed and stored again while it is written: the new one stays', async (t) => {
  const disk = new Disk()
  disk.add('p /a', 'old')
  void disk.queue.remove('p /a', 0)
  disk.add('p /a', 'new')
  await disk.end()
  t.strictSame(disk.started, ['old', 'new'])
  t.strictSame(disk.undone, [])
  await disk.end()
  t.equal(disk.queue.find('p /a', 0), undefined)
})

t.test('bounded in bytes, whatever was replaced or removed', async (t) => {
  const disk = new Disk()
  const half = 'x'.repeat(DISK_WRITE_QUEUE_BYTES_MAX / 2)
  for (let round = 0; round < 3; round++) {
    t.equal(disk.add('p /a', half), true)
    t.equal(disk.add('p /b', 'small'), true)
    t.equal(disk.add('p /b', half.slice(9)), true)
    t.equal(disk.add('p /c', 'no more room'), false)
    void disk.queue.remove('p /b', 0)
    for (let i = 0; i < 4; i++) await disk.end()
  }
})
