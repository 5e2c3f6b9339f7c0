// What it costs to know where a client is: coverage of 100,000 networks (file, build, lookup, memory), and whole
// decisions of `locate` from a city database that has not been asked yet and from one that has.
// How long the process stands still while a changed city file is taken up.
// `node bench/locate.ts [--city FILE[,FILE…]] [--asn FILE]`, half a minute; prints, and writes results/locate.json.
// Without --city it asks files that it makes itself, in both shapes of records. Goals: build under 1 s, lookup under 1 us.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { copyFile, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { stringify } from 'yaml'
import { locate } from '../scheduler/locate/locate.ts'
import { buildSnapshot } from '../scheduler/snapshot.ts'
import type { Snapshot } from '../scheduler/snapshot.ts'
import { buildTopology } from '../scheduler/topology.ts'
import { systemClock } from '../src/clock.ts'
import { loadSchedulerConfig } from '../src/config/load.ts'
import { loadPlaces } from '../src/geo/places.ts'
import { WatchedPlaces } from '../src/geo/watched-places.ts'
import { silentLogger } from '../src/log.ts'
import type { PlaceFiles } from '../src/geo/places.ts'
import { buildCidrTree } from '../src/net/cidr-tree.ts'
import { parseIp } from '../src/net/ip.ts'
import type { IpAddress } from '../src/net/ip.ts'
import { edgeEntry, schedulerSettingsText } from '../test/kit/scheduler.ts'
import { describeMachine } from './lib/machine.ts'
import { coverageNetworks, numbers, writeAsns, writeCities } from './lib/made-places.ts'
import { median, percentile, round } from './lib/stats.ts'

const RESULT = fileURLToPath(new URL('results/locate.json', import.meta.url))
const NETWORKS = 100_000
const SITES = 100
const CLIENTS = 20_000
/** What the sites take besides their networks. */
const KINDS = ['position', 'position, asns asked first', 'country of 20 sites'] as const

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

function heldBytes(): number {
  if (typeof collectGarbage === 'function') collectGarbage()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return heapUsed + arrayBuffers
}

const { values: options } = parseArgs({ options: { city: { type: 'string' }, asn: { type: 'string' } } })
const directory = mkdtempSync(path.join(tmpdir(), 'edgeward-bench-'))
process.once('exit', () => rmSync(directory, { recursive: true, force: true }))
const machine = describeMachine()
const networks = coverageNetworks(NETWORKS)
const clients = { ipv4: addresses(4), ipv6: addresses(6) }

const coverage = measureTree()
const file = await measureFile()
const decisions = await measureDecisions()
const reload = await measureReload()

const result = { machine, coverage, file, decisions, reload }
writeFileSync(RESULT, `${JSON.stringify(result, null, 2)}\n`)
process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)

/** Clients of the coverage networks, and as many from anywhere. */
function addresses(family: 4 | 6): IpAddress[] {
  const next = numbers(family)
  const inside = networks.filter(({ address }) => address.family === family)
  return Array.from({ length: CLIENTS }, (_, i): IpAddress => {
    const { address } = inside[next() % inside.length] ?? { address: parseIp('8.8.8.8') }
    if (address === undefined) throw new Error('no network')
    if (i % 2 === 0) return { ...address, d: (address.d | (next() & 7)) >>> 0 }
    return family === 4
      ? { ...address, d: next() }
      : { ...address, a: 0x2000_0000 + (next() >>> 4), b: next() }
  })
}

function measureTree() {
  const values = Array.from({ length: SITES }, (_, i) => [`site-${i}`])
  const entries = networks.map((network, i) => ({ network, value: values[i % SITES] ?? [] }))
  buildCidrTree(entries.slice(0, 5000))
  const builds = Array.from({ length: 5 }, () => timed(() => buildCidrTree(entries)))
  const before = heldBytes()
  const tree = buildCidrTree(entries)
  const bytes = heldBytes() - before
  const lookupNs = (asked: readonly IpAddress[]) => {
    let found = 0
    const rounds = Array.from({ length: 50 }, () =>
      timed(() => {
        for (const address of asked) if (tree.find(address) !== undefined) found += 1
      }),
    )
    if (found === 0) throw new Error('nothing was found')
    return round((median(rounds) * 1e6) / asked.length, 1)
  }
  return {
    networks: tree.size,
    buildMs: round(median(builds), 1),
    bytesPerNetwork: round(bytes / tree.size, 1),
    lookupNs: { ipv4: lookupNs(clients.ipv4), ipv6: lookupNs(clients.ipv6) },
  }
}

/** From files of networks to a topology, as a start does it. */
async function measureFile() {
  const sites = Array.from({ length: SITES }, (_, i) => ({ id: `s${i}`, coverage: { file: `s${i}.txt` } }))
  const texts = networks.map(({ address, prefixLength }) => `${textOf(address)}/${prefixLength}\n`)
  for (let i = 0; i < SITES; i += 1) {
    writeFileSync(path.join(directory, `s${i}.txt`), texts.filter((_, at) => at % SITES === i).join(''))
  }
  const edges = sites.map(({ id }) => edgeEntry(`${id}-e`, id))
  const config = path.join(directory, 'edgeward.yaml')
  writeFileSync(config, stringify(schedulerSettingsText({ sites, edges })))
  const readMs: number[] = []
  const topologyMs: number[] = []
  for (let i = 0; i < 5; i += 1) {
    const startMs = systemClock.monotonic()
    const { settings } = await loadSchedulerConfig(config, {})
    readMs.push(systemClock.monotonic() - startMs)
    topologyMs.push(timed(() => buildTopology(settings)))
  }
  return {
    networks: texts.length,
    readMs: round(median(readMs), 1),
    topologyMs: round(median(topologyMs), 1),
  }
}

async function measureDecisions() {
  const made = path.join(directory, 'made')
  const asn = options.asn ?? `${made}-asn.mmdb`
  if (options.asn === undefined) await writeAsns(asn)
  const files: Record<string, PlaceFiles> = {}
  if (options.city === undefined) {
    for (const shape of ['flat', 'nested'] as const) {
      const city = `${made}-${shape}.mmdb`
      await writeCities(city, shape)
      files[`made, ${shape}`] = { city: [city], country: [], asn: [asn] }
    }
  } else files['given'] = { city: options.city.split(','), country: [], asn: [asn] }
  const all: Record<string, unknown> = {}
  for (const [name, of] of Object.entries(files)) all[name] = await decisionsFrom(of)
  return all
}

/** A timer that should run every millisecond tells how long nothing else could. */
async function measureReload() {
  const city = options.city?.split(',')[0] ?? path.join(directory, 'made-nested.mmdb')
  const copy = path.join(directory, 'copy.mmdb')
  await copyFile(city, copy)
  const files = { city: [copy], country: [], asn: [] }
  const results: string[] = []
  const places = new WatchedPlaces(files, await loadPlaces(files), {
    log: silentLogger,
    onReload: (outcome) => results.push(outcome),
  })
  const tookMs: number[] = []
  const longestMs: number[] = []
  const idleMs: number[] = []
  for (let i = 1; i <= 9; i += 1) {
    await utimes(copy, i, i)
    const startMs = systemClock.monotonic()
    longestMs.push(await longestPauseMs(places.check()))
    const took = systemClock.monotonic() - startMs
    tookMs.push(took)
    // What the machine itself does to a process that waits as long.
    idleMs.push(await longestPauseMs(delay(took)))
  }
  places.close()
  if (results.filter((outcome) => outcome === 'replaced').length !== tookMs.length)
    throw new Error('it was not replaced')
  const { size } = await stat(copy)
  return {
    fileBytes: size,
    tookMs: round(median(tookMs), 1),
    longestPauseMs: round(median(longestMs), 1),
    longestPauseIdleMs: round(median(idleMs), 1),
  }
}

async function longestPauseMs(work: Promise<unknown>): Promise<number> {
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  await work
  delays.disable()
  return delays.max / 1e6
}

async function decisionsFrom(files: PlaceFiles) {
  const asked = clientsOfFiles()
  // The code is compiled by a database of its own; what that one remembers is not the next one's.
  for (const kind of KINDS) {
    const warmUp = await snapshotOf(files, kind)
    for (let i = 0; i < 3; i += 1) timesOf(asked, warmUp)
  }
  const found: Record<string, unknown> = {}
  for (const kind of KINDS) {
    const snapshot = await snapshotOf(files, kind)
    if (typeof collectGarbage === 'function') collectGarbage()
    const cold = timesOf(asked, snapshot)
    const warm = timesOf(asked, snapshot)
    found[kind] = { cold, warm }
  }
  const bytes = await Promise.all([...files.city, ...files.asn].map(async (name) => (await stat(name)).size))
  return { fileBytes: bytes.reduce((sum, size) => sum + size, 0), ...found }
}

async function snapshotOf(files: PlaceFiles, kind: (typeof KINDS)[number]): Promise<Snapshot> {
  const next = numbers(9)
  const sites = Array.from({ length: SITES }, (_, i) => ({
    id: `s${i}`,
    location: { lat: (next() % 120) - 60, lon: (next() % 360) - 180 },
    coverage: {
      networks: [`100.${i}.0.0/16`],
      ...(kind === 'position, asns asked first' ? { asns: [i + 1] } : {}),
      ...(kind === 'country of 20 sites' && i < 20 ? { countries: ['CN'] } : {}),
    },
  }))
  const edges = sites.map(({ id }) => edgeEntry(`${id}-e`, id))
  const text = schedulerSettingsText({ sites, edges })
  const config = path.join(directory, 'edgeward.yaml')
  writeFileSync(
    config,
    stringify({ ...text, scheduler: { ...Object(text['scheduler']), geoip: { asn: files.asn[0] } } }),
  )
  const { settings } = await loadSchedulerConfig(config, {})
  // Of a country alone, clients are spread.
  const named = kind === 'country of 20 sites' ? { ...files, city: [] } : files
  return buildSnapshot(buildTopology(settings), await loadPlaces(named), new Map())
}

/** Addresses that public files know, IPv4 and one in five IPv6; none twice. */
function clientsOfFiles(): IpAddress[] {
  const next = numbers(3)
  return Array.from({ length: CLIENTS }, (_, i): IpAddress => {
    const d = ((1 + (next() % 99)) * 2 ** 24 + (next() & 0xff_ffff)) >>> 0
    if (i % 5 !== 0) return { family: 4, a: 0, b: 0, c: 0, d }
    return { family: 6, a: 0x2400_0000 + (next() & 0xff_ffff), b: next(), c: 0, d }
  })
}

/** Microseconds a decision, by what told where the client is. */
function timesOf(asked: readonly IpAddress[], snapshot: Snapshot) {
  const times = new Map<string, number[]>()
  for (const address of asked) {
    const startMs = systemClock.monotonic()
    const { source } = locate(address, snapshot)
    const us = (systemClock.monotonic() - startMs) * 1000
    const ofSource = times.get(source) ?? []
    times.set(source, ofSource)
    ofSource.push(us)
  }
  return Object.fromEntries(
    [...times].map(([source, us]) => [
      source,
      { clients: us.length, medianUs: round(median(us), 2), p99Us: round(percentile(us, 0.99), 2) },
    ]),
  )
}

function timed(work: () => void): number {
  const startMs = systemClock.monotonic()
  work()
  return systemClock.monotonic() - startMs
}

function textOf({ family, a, b, c, d }: IpAddress): string {
  if (family === 4) return [d >>> 24, (d >>> 16) & 255, (d >>> 8) & 255, d & 255].join('.')
  return [a, b, c, d].flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)]).join(':')
}
