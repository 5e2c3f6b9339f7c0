// What is a scheduler's own in edgeward.yaml and what the cluster's: files that differ in own keys alone are the same, and
// a version of another scheduler is run with one's own.
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { ConfigError } from '../../src/config/config-error.ts'
import { loadSchedulerConfig, loadSchedulerText } from '../../src/config/load.ts'
import type { SchedulerConfig } from '../../src/config/load.ts'
import { changedKeys, ownValuesOf } from '../../src/config/own-keys.ts'
import { edgeEntry, schedulerSettingsText } from '../kit/scheduler.ts'
import { tempDirectory } from '../kit/temp.ts'

const directory = await tempDirectory(t)
const file = path.join(directory, 'edgeward.yaml')
await writeFile(path.join(directory, 'net.txt'), '192.0.2.0/24\n')
const DNS = { zone: 'cdn.example.com', nameservers: ['ns1.example.net'] }

const textOf = (over: object = {}, scheduler: object = {}) => {
  const settings = schedulerSettingsText({ ...over })
  return stringify({ ...settings, scheduler: Object.assign({}, settings['scheduler'], scheduler) })
}

const hash = (digit: string) => ({ HASH: `sha256:${digit.repeat(64)}` })

const load = (text: string, env: NodeJS.ProcessEnv = {}, own?: unknown) =>
  loadSchedulerText(file, text, env, own === undefined ? {} : { own })

const changed = (one: SchedulerConfig, other: SchedulerConfig) =>
  changedKeys(ownValuesOf(one.settings), ownValuesOf(other.settings))

t.test('what makes two files the same', async (t) => {
  const plain = await load(textOf())
  const same = [
    textOf(
      {},
      { control: { listen: '127.0.0.1:1' }, redis: 'redis://127.0.0.1:1', admin: { listen: '[::1]:2' } },
    ),
    textOf({ cluster: 'other' }, { steering: { listen: '127.0.0.1:7' } }),
    `# of another operator\n${textOf().replace(/^sites:$/m, 'sites: # all')}`,
    stringify(Object.fromEntries(Object.entries(schedulerSettingsText()).toReversed())),
  ]
  for (const text of same) t.equal((await load(text)).hash, plain.hash)
  const others = [
    textOf({}, { steering: { listen: '127.0.0.1:0', publicUrl: 'https://cdn.example.com' } }),
    textOf({}, { accessLog: false }),
    textOf({ edges: [edgeEntry('gz-1', 'guangzhou'), edgeEntry('gz-2', 'guangzhou')] }),
    textOf({}, { dns: DNS }),
  ]
  const hashes = await Promise.all(others.map(async (text) => (await load(text)).hash))
  t.equal(new Set([...hashes, plain.hash]).size, 5, 'each is another')
})

t.test('files of networks count by their content, secrets by their names', async (t) => {
  const sites = [{ id: 'guangzhou', coverage: { file: 'net.txt' } }]
  const text = textOf({ sites, edges: [edgeEntry('gz-1', 'guangzhou', { keyHash: '${HASH}' })] })
  const one = await load(text, hash('1'))
  t.equal((await load(text, hash('2'))).hash, one.hash)
  t.same([...one.source.files.keys()], ['net.txt'])
  await writeFile(path.join(directory, 'net.txt'), '198.51.100.0/24\n')
  t.not((await load(text, hash('1'))).hash, one.hash)
})

t.test('a version of another scheduler is run with own keys', async (t) => {
  const theirs = textOf(
    { cluster: 'test' },
    {
      control: { listen: '192.0.2.1:8081' },
      redis: 'redis://:${THEIR_PASSWORD}@192.0.2.1',
      dns: {
        ...DNS,
        listen: '192.0.2.1:53',
        schedulers: { name: 'cdn.example.com', addresses: ['192.0.2.1'] },
      },
    },
  )
  const ownFile = path.join(directory, 'own.yaml')
  const mine = {
    control: { listen: '127.0.0.1:9' },
    dns: { ...DNS, zone: 'old.example.com', listen: '127.0.0.1:53' },
  }
  await writeFile(ownFile, textOf({}, mine))
  const own = await loadSchedulerConfig(ownFile, {})
  const joined = await load(theirs, {}, own.own)
  t.same(changed(own, joined), [], 'nothing needs a restart, and no variable of theirs is missed')
  const { scheduler } = joined.settings
  t.equal(scheduler.control.listen.port, 9)
  t.equal(scheduler.redis, undefined)
  t.equal(scheduler.dns?.zone, 'cdn.example.com', 'what is the cluster’s is theirs')
  t.same(scheduler.dns?.listen, { host: '127.0.0.1', port: 53 })
  t.same(scheduler.dns?.schedulers, undefined, 'without an address of its own it is not named')
})

t.test('without DNS of its own it takes what is said of DNS as it stands', async (t) => {
  const own = await load(textOf())
  const joined = await load(textOf({}, { dns: { ...DNS, listen: '127.0.0.1:53' } }), {}, own.own)
  t.same(joined.settings.scheduler.dns?.listen, { host: '127.0.0.1', port: 53 })
  t.same(changed(own, joined), ['scheduler.dns'], 'which a running one cannot')
})

t.test('keys that need a restart are named', async (t) => {
  const before = await load(textOf({}, { dns: DNS }))
  const after = await load(
    textOf({ cluster: 'other' }, { dns: { ...DNS, nsid: 'a', ttl: { steered: '5s' } }, drain: '1s' }),
  )
  t.same(changed(before, after), ['cluster', 'scheduler.dns.nsid'])
  t.same(changed(before, before), [])
  await t.rejects(load('cluster: [', {}), ConfigError)
})
