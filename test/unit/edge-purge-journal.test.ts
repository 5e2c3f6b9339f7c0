// The journal of purges: what was written is read again, what was not written to its end is not, and what cannot be read
// is told; it stays bounded, and a write that failed is made good by the next.
import { appendFile, chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { PURGE_JOURNAL_LINES_MAX } from '../../edge/limits.ts'
import { PurgeJournal, readJournal } from '../../edge/purge/purge-journal.ts'
import type { CountedPurge } from '../../edge/purge/purge-rules.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'

function counted(count: number): CountedPurge {
  return { count, purge: { property: 'shows', scope: 'tag', value: `t${count}`, soft: false } }
}

async function openJournal(
  t: TestScope,
): Promise<{ journal: PurgeJournal; directory: string; file: string }> {
  const directory = await tempDirectory(t)
  const journal = new PurgeJournal(directory)
  t.teardown(() => journal.close())
  return { journal, directory, file: path.join(directory, 'purges.log') }
}

const NONE = () => []

t.test('what was written is read, in its order, with the last event', async (t) => {
  const { journal, directory } = await openJournal(t)
  t.equal(await readJournal(directory), undefined, 'there is none yet')
  await journal.write({ purges: [], last: '' }, () => [counted(1)])
  await journal.write({ purges: [counted(2), counted(3)], last: '5-0' }, NONE)
  await journal.write({ purges: [counted(4)], last: '6-0' }, NONE)
  t.same(await readJournal(directory), { purges: [1, 2, 3, 4].map(counted), last: '6-0', damaged: false })
})

t.test('a torn last line is no damage, anything else is, and the rest of it counts', async (t) => {
  const { journal, directory, file } = await openJournal(t)
  await journal.write({ purges: [], last: '' }, NONE)
  await journal.write({ purges: [counted(1)], last: '5-0' }, NONE)
  const whole = { purges: [counted(1)], last: '5-0' }
  await appendFile(file, '{"count":2,"purge":{"prop')
  t.same(await readJournal(directory), { ...whole, damaged: false })
  await appendFile(file, '\n')
  t.same(await readJournal(directory), { ...whole, damaged: true })
  const text = await readFile(file, 'utf8')
  for (const line of ['\0\0\0', '[]', '{"count":-1}', '{"last":"x"}', '']) {
    await writeFile(file, `${line}\n${text}`)
    t.same(await readJournal(directory), { ...whole, damaged: true }, JSON.stringify(line))
  }
  for (const content of ['', '{"count":1', `${JSON.stringify(counted(1))}\n`]) {
    await writeFile(file, content)
    t.match(await readJournal(directory), { last: '', damaged: true }, 'no word of what is applied')
  }
})

t.test('it is written anew when it has become long', async (t) => {
  const { journal, directory, file } = await openJournal(t)
  await journal.write({ purges: [], last: '' }, NONE)
  const purges = Array.from({ length: PURGE_JOURNAL_LINES_MAX - 1 }, (_, i) => counted(i + 1))
  await journal.write({ purges, last: '7-0' }, NONE)
  const { size } = await stat(file)
  await journal.write({ purges: [counted(1e6)], last: '8-0' }, () => [counted(9)])
  t.ok((await stat(file)).size < size / 1000)
  t.same(await readJournal(directory), { purges: [counted(9)], last: '8-0', damaged: false })
})

t.test('a write that fails says so, and the next one writes all of it', async (t) => {
  const { journal, directory, file } = await openJournal(t)
  // A file of that name cannot take its place.
  await mkdir(path.join(file, 'in-the-way'), { recursive: true })
  await t.rejects(journal.write({ purges: [counted(1)], last: '5-0' }, () => [counted(1)]))
  await rm(file, { recursive: true })
  await journal.write({ purges: [], last: '5-0' }, () => [counted(1)])
  t.same(await readJournal(directory), { purges: [counted(1)], last: '5-0', damaged: false })
})

t.test('one that may not be read is an error, not none', async (t) => {
  const { journal, directory, file } = await openJournal(t)
  await journal.write({ purges: [], last: '' }, NONE)
  await chmod(file, 0)
  // The superuser reads everything.
  if (process.getuid?.() === 0) await rm(file).then(() => mkdir(file))
  await t.rejects(readJournal(directory))
})
