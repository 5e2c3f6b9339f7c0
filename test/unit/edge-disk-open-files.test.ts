// Open files are shared, bounded, and closed by their last reader; a name that changes hands is not mixed up.
import { fstatSync, mkdirSync, openSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { OpenFiles } from '../../edge/cache/disk/disk-open-files.ts'
import type { OpenFile } from '../../edge/cache/disk/disk-open-files.ts'
import { OPEN_FILES_MAX } from '../../edge/limits.ts'
import { objectMeta } from '../kit/edge-parts.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

async function opener(t: TestScope): Promise<(key: string) => OpenFile> {
  const directory = await tempDirectory(t)
  mkdirSync(directory, { recursive: true })
  let made = 0
  return (key) => ({
    fd: openSync(path.join(directory, String(made++)), 'w'),
    meta: objectMeta({ key }),
    bodyAt: 0,
    bodyBytes: 0,
  })
}

function isOpen(fd: number): boolean {
  try {
    fstatSync(fd)
    return true
  } catch {
    return false
  }
}

async function failing(): Promise<never> {
  throw new Error('EIO')
}

t.test('opened once, however many ask', async (t) => {
  const open = await opener(t)
  const files = new OpenFiles()
  let loads = 0
  const load = async () => {
    loads++
    return open('a')
  }
  const [one, two] = await Promise.all([files.hold('a', load), files.hold('a', load)])
  const three = await files.hold('a', load)
  t.equal(loads, 1)
  t.equal(one?.fd, two?.fd)
  t.equal(one?.fd, three?.fd)
  files.close()
  one?.release()
  one?.release()
  two?.release()
  t.ok(isOpen(three?.fd ?? -1), 'still read by one')
  three?.release()
  await until('closed', () => !isOpen(three?.fd ?? -1))
})

t.test('a retired file is read to its end by those who hold it, and by nobody new', async (t) => {
  const open = await opener(t)
  const files = new OpenFiles()
  const old = await files.hold('a', async () => open('old'))
  files.retire('a')
  const fresh = await files.hold('a', async () => open('new'))
  t.equal(fresh?.meta.key, 'new')
  t.ok(isOpen(old?.fd ?? -1))
  old?.release()
  await until('closed', () => !isOpen(old?.fd ?? -1))
  t.ok(isOpen(fresh?.fd ?? -1))
  fresh?.release()
  files.close()
})

t.test('retired while it is opened: a miss, not the old file', async (t) => {
  const open = await opener(t)
  const files = new OpenFiles()
  const opened = Promise.withResolvers<OpenFile>()
  const held = files.hold('a', () => opened.promise)
  files.retire('a')
  const fresh = await files.hold('a', async () => open('new'))
  const old = open('old')
  opened.resolve(old)
  t.equal(await held, undefined)
  await until('closed', () => !isOpen(old.fd))
  t.equal((await files.hold('a', async () => open('third')))?.meta.key, 'new')
  fresh?.release()
  files.close()
})

t.test('a load that fails fails for all who wait, and is tried again by the next', async (t) => {
  const open = await opener(t)
  const files = new OpenFiles()
  await t.rejects(Promise.all([files.hold('a', failing), files.hold('a', failing)]), { message: 'EIO' })
  t.equal(await files.hold('a', async () => undefined), undefined)
  t.ok(await files.hold('a', async () => open('a')))
  files.close()
})

t.test('no more than the bound stay open', async (t) => {
  const open = await opener(t)
  const files = new OpenFiles()
  const fds: number[] = []
  for (let i = 0; i < OPEN_FILES_MAX + 10; i++) {
    const file = await files.hold(String(i), async () => open('a'))
    fds.push(file?.fd ?? -1)
    file?.release()
  }
  // A number is given out again once its file is closed.
  const stillOpen = () => [...new Set(fds)].filter((fd) => isOpen(fd)).length
  await until('the first are closed', () => stillOpen() === OPEN_FILES_MAX)
  files.close()
})

t.test('a load is told when its name stands for another file, and a change waits for loads', async (t) => {
  const open = await opener(t)
  const files = new OpenFiles()
  const opened = Promise.withResolvers<void>()
  const told: boolean[] = []
  const holding = files.hold('a', async (retired) => {
    told.push(retired())
    await opened.promise
    told.push(retired())
    return open('a')
  })
  files.retire('a')
  opened.resolve()
  t.equal(await holding, undefined)
  t.strictSame(told, [false, true])

  const order: string[] = []
  const slow = Promise.withResolvers<void>()
  const first = files.hold('b', async () => {
    await slow.promise
    order.push('opened')
    return open('b')
  })
  const change = files.change('b', async () => {
    order.push('changed')
  })
  slow.resolve()
  const before = await first
  t.ok(before, 'who was opening it has it')
  await change
  const after = await files.hold('b', async () => {
    order.push('opened anew')
    return open('b')
  })
  t.strictSame(order, ['opened', 'changed', 'opened anew'])
  before?.release()
  after?.release()
  files.close()
})
