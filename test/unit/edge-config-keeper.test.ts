// An edge and the configurations that it is sent: each is run whole or not at all, and the last that came counts.
import { chmod, readFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { EMPTY_TABLE } from '../../edge/property/property-table.ts'
import { ConfigKeeper } from '../../edge/report/config-keeper.ts'
import { edgeConfigOf } from '../../src/config/edge-config.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { schedulerSettings } from '../kit/scheduler.ts'
import { tempDirectory } from '../kit/temp.ts'
import type { TestScope } from '../kit/scope.ts'

const CONFIG = edgeConfigOf(schedulerSettings())

/** `answers`: what the scheduler sends, one for each question. */
async function keeperOf(t: TestScope, answers: readonly unknown[]) {
  const directory = await tempDirectory(t)
  const { log, lines } = recordingLog()
  const edge = { id: 'gz-1', log, table: EMPTY_TABLE }
  const left = [...answers]
  const source = { config: async () => left.shift() }
  return { keeper: new ConfigKeeper({ source, edge, directory }), edge, directory, lines }
}

t.test('taken, run and saved', async (t) => {
  const { keeper, edge, directory } = await keeperOf(t, [CONFIG])
  t.ok(keeper.wants(CONFIG.version))
  await keeper.take()
  t.equal(edge.table.version, CONFIG.version)
  t.equal(edge.table.index.findById('shows')?.id, 'shows')
  t.notOk(keeper.wants(CONFIG.version))
  t.equal(keeper.refusal, null)
  const saved = await readFile(path.join(directory, 'edge-config.json'), 'utf8')
  t.match(JSON.parse(saved), { version: CONFIG.version })
})

t.test('one that cannot be run changes nothing, and is not asked for again', async (t) => {
  const [shows] = CONFIG.properties
  const strange = {
    ...CONFIG,
    version: 'strange',
    properties: [{ ...shows, hologram: 3, methods: 'GET' }],
  }
  const next = { ...CONFIG, version: 'next' }
  const { keeper, edge, directory, lines } = await keeperOf(t, [CONFIG, strange, next])
  await keeper.take()
  await keeper.take()
  t.equal(edge.table.version, CONFIG.version)
  t.match(keeper.refusal, {
    version: 'strange',
    reason: /^properties\[0\]\.methods: .*; properties\[0\]: .*"hologram"/,
  })
  t.notOk(keeper.wants('strange'))
  t.ok(keeper.wants('next'))
  t.match(await readFile(path.join(directory, 'edge-config.json'), 'utf8'), CONFIG.version)
  t.match(lines.at(-1), { level: 50, msg: /^configuration refused/ })
  await keeper.take()
  t.equal(edge.table.version, 'next')
  t.equal(keeper.refusal, null)
})

t.test('an answer that a later one overtook is dropped', async (t) => {
  const first = Promise.withResolvers<unknown>()
  const { keeper, edge } = await keeperOf(t, [first.promise, { ...CONFIG, version: 'later' }])
  const slow = keeper.take(7)
  await keeper.take()
  first.resolve({ ...CONFIG, version: 'earlier' })
  await slow
  t.equal(edge.table.version, 'later')
})

t.test('what is no configuration at all, and a disk that takes none', async (t) => {
  const { keeper, edge, directory, lines } = await keeperOf(t, ['nonsense', CONFIG])
  await t.rejects(keeper.take())
  t.equal(edge.table.version, '')
  await chmod(directory, 0o500)
  t.teardown(() => chmod(directory, 0o700))
  await keeper.take()
  t.equal(edge.table.version, CONFIG.version, 'it runs all the same')
  if (process.getuid?.() !== 0) t.match(lines.at(-1), { msg: 'configuration cannot be saved' })
})
