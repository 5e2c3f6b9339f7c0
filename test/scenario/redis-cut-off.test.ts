// Of two schedulers that share a Redis one loses its way to it, where packets vanish and nothing is refused: players are
// sent to edges that live by both, no purge is lost without a word, and once it is back both say the same again.
import t from 'tap'
import { z } from 'zod'
import { systemClock } from '../../src/clock.ts'
import { formatAuthority } from '../../src/net/listen.ts'
import { purgeListSchema } from '../../src/wire/purge.ts'
import type { PurgeList } from '../../src/wire/purge.ts'
import { get } from '../kit/client.ts'
import { inOwnNetwork, TestNetwork } from '../kit/namespaces.ts'
import type { Place } from '../kit/namespaces.ts'
import { freePort } from '../kit/ports.ts'
import { runCommand } from '../kit/process.ts'
import type { CommandResult } from '../kit/process.ts'
import { applied, ask } from '../kit/purging.ts'
import { startRedis } from '../kit/redis-server.ts'
import { registryOf } from '../kit/redis-viewers.ts'
import { startJoinedEdge } from '../kit/rollout.ts'
import { edgeEntry, schedulerSettingsText } from '../kit/scheduler.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import type { SchedulerProcess } from '../kit/scheduler-process.ts'
import type { TestScope } from '../kit/scope.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { until } from '../kit/until.ts'

const HOST = 'shows.example.com'
const FILMS = ['/a/film', '/b/film', '/c/film']
const PURGE = ['--property', 'shows', '--wildcard', '/*/film']
const film = (version: number) => ({
  body: `version ${version}`,
  fields: { 'Cache-Control': 'max-age=600' },
})
/** So that each edge has some. */
const ASSETS = 30
const ASK_EVERY_MS = 20

const edgesSchema = z.object({ edges: z.array(z.object({ id: z.string(), state: z.string() })) })

interface Centre extends Pick<SchedulerProcess, 'steering' | 'control' | 'admin'> {
  purge(...args: string[]): Promise<CommandResult & { tookMs: number }>
  purges(): Promise<PurgeList['purges']>
  /** Edge id → its state in this scheduler's eyes. */
  states(): Promise<Record<string, string>>
}

async function startCentre(
  t: TestScope,
  place: Place,
  shared: Record<string, unknown>,
  redis: string,
): Promise<Centre> {
  const listen = { listen: formatAuthority(place.address, 0) }
  // It takes changes from its own machine alone, so it listens there too.
  const port = await freePort()
  const scheduler = { steering: listen, control: listen, admin: { listen: `[::]:${port}` }, accessLog: false }
  const settings = { ...shared, scheduler: { ...scheduler, redis, probes: {} } }
  const started = await startSchedulerProcess(t, settings, place)
  const admin = `http://${formatAuthority(place.address, port)}`
  return {
    steering: started.steering,
    control: started.control,
    admin,
    async purge(...args) {
      const sinceMs = systemClock.monotonic()
      const command = ['purge', ...args, '--admin', `http://[::1]:${port}`]
      const result = await runCommand(t, command, { within: place.within })
      return { ...result, tookMs: systemClock.monotonic() - sinceMs }
    },
    async purges() {
      return purgeListSchema.parse(JSON.parse((await get(`${admin}/api/v1/purges`)).text)).purges
    },
    async states() {
      const { edges } = edgesSchema.parse(JSON.parse((await get(`${admin}/api/v1/edges`)).text))
      return Object.fromEntries(edges.map(({ id, state }) => [id, state]))
    },
  }
}

/** Players who ask one scheduler for many assets, all the time. */
class Players {
  /** Every status there was, or what went wrong. */
  readonly statuses = new Set<string>()
  readonly #edges: ReadonlyMap<string, string>
  #lately: string[] = []

  /** `edges`: host → id. */
  constructor(t: TestScope, { steering }: Centre, edges: ReadonlyMap<string, string>) {
    this.#edges = edges
    let asset = 0
    const timer = setInterval(() => void this.#ask(`${steering}/${asset++ % ASSETS}/main.m3u8`), ASK_EVERY_MS)
    t.teardown(() => clearInterval(timer))
  }

  /** Until it is these edges that they are sent to, and no other. */
  async untilSentTo(edges: string): Promise<void> {
    await until(
      `they are sent to ${edges}`,
      async () => {
        this.#lately = []
        await until('every asset was asked for', () => this.#lately.length > ASSETS)
        return [...new Set(this.#lately)].toSorted().join() === edges
      },
      20_000,
    )
  }

  async #ask(url: string): Promise<void> {
    const reply = await get(url, { headers: { Host: HOST } }).catch(() => null)
    this.statuses.add(String(reply?.status))
    const { host } = new URL(reply?.headers.location ?? 'http://nowhere')
    this.#lately.push(this.#edges.get(host) ?? host)
  }
}

if (await inOwnNetwork(t, import.meta.url)) {
  const network = await TestNetwork.open()

  t.test('one scheduler of two is cut from Redis', async (t) => {
    const redis = await network.here('203.0.113.50')
    const server = await startRedis(t, { host: redis.address })
    const { address: host } = await network.here('203.0.113.200')
    const origin = await startOrigin(t, Object.fromEntries(FILMS.map((path) => [path, film(1)])), { host })
    const ids = ['gz-1', 'gz-2', 'gz-3', 'gz-4'] as const
    const sited = await Promise.all(
      ids.map(async (id, i) => {
        const place = await network.host(t, `192.0.2.${i + 1}`)
        return { id, place, address: formatAuthority(place.address, await freePort()) }
      }),
    )
    const shared = schedulerSettingsText({
      edges: sited.map(({ id, address }) => edgeEntry(id, 'guangzhou', { url: `http://${address}` })),
      origins: [{ id: 'studio', url: origin.url }],
    })
    const place = await network.host(t, '203.0.113.2')
    const [cut, other] = await Promise.all([
      startCentre(t, place, shared, server.url),
      startCentre(t, await network.host(t, '203.0.113.3'), shared, server.url),
    ])
    // The first reports to the one that will be cut.
    const [first, second, third, fourth] = await Promise.all([
      startJoinedEdge(t, 'gz-1', shared, cut.control, sited[0]?.place),
      startJoinedEdge(t, 'gz-2', shared, other.control, sited[1]?.place),
      startJoinedEdge(t, 'gz-3', shared, other.control, sited[2]?.place),
      startJoinedEdge(t, 'gz-4', shared, other.control, sited[3]?.place),
    ])
    for (const centre of [cut, other]) {
      await until('every edge is up', async () =>
        Object.values(await centre.states()).every((state) => state === 'up'),
      )
    }
    const hosts = new Map(sited.map(({ id, address }) => [address, id]))
    const players = { cut: new Players(t, cut, hosts), other: new Players(t, other, hosts) }
    await Promise.all([players.cut.untilSentTo(ids.join()), players.other.untilSentTo(ids.join())])
    for (const edge of [first, second, third]) for (const path of FILMS) await ask(edge, path)

    await network.cut(place, redis)
    for (const path of FILMS) origin.on(path, film(2))
    const [early, byOther] = [cut.purge(...PURGE), other.purge(...PURGE)]
    await fourth.stop('SIGKILL')
    t.match(await early, { code: 1, stderr: /the purge was not taken/ })
    await until('it says so', async () => (await registryOf(cut)).state === 'held')
    const late = await cut.purge(...PURGE)
    t.match(late, { code: 1, stderr: /the purge was not taken; ask for it again \(Redis cannot be used: / })
    for (const { tookMs } of [await early, late]) t.ok(tookMs < 8000, `refused after ${tookMs} ms`)

    const taken = await byOther
    t.match(taken, { code: 0, stdout: /applied at 2 of 4 edges.*; 2 down, which will hear of it/ })
    t.ok(taken.tookMs < 20_000, `${taken.tookMs} ms`)
    // Not the old one either from the first, which they ask as a peer while they take it for alive.
    for (const edge of [second, third]) {
      for (const path of FILMS) t.match(await ask(edge, path), { status: 200, text: 'version 2' })
    }
    await Promise.all([players.cut.untilSentTo('gz-1,gz-2,gz-3'), players.other.untilSentTo('gz-2,gz-3')])
    t.match(await cut.states(), { 'gz-1': 'up' }, 'who reports to it is up')
    t.match(await ask(first, '/a/film'), { status: 200, text: 'version 1' }, 'what it has not heard of')

    await network.join(place, redis)
    const joinedMs = systemClock.monotonic()
    const [id = ''] = taken.stdout.split('\n')
    for (const centre of [cut, other]) await applied(centre.admin, id, ['gz-1', 'gz-2', 'gz-3'])
    t.match(await ask(first, '/a/film'), { status: 200, text: 'version 2' }, 'the purge has come')
    const healed = { 'gz-1': 'up', 'gz-2': 'up', 'gz-3': 'up', 'gz-4': 'down' }
    await until(
      'both see the same edges',
      async () =>
        JSON.stringify([await cut.states(), await other.states()]) === JSON.stringify([healed, healed]),
      15_000,
    )
    t.comment(`both see the same after ${Math.round(systemClock.monotonic() - joinedMs)} ms`)
    const again = await cut.purge(...PURGE)
    t.match(again, { code: 0, stdout: /applied at 3 of 4 edges/ })
    await until('both list the same purges', async () => {
      const [here, there] = [await cut.purges(), await other.purges()]
      return (
        here.some((purge) => again.stdout.startsWith(purge.id)) &&
        JSON.stringify(here) === JSON.stringify(there)
      )
    })
    const live = 'gz-1,gz-2,gz-3'
    await Promise.all([players.cut.untilSentTo(live), players.other.untilSentTo(live)])
    for (const { statuses } of Object.values(players)) t.strictSame([...statuses], ['302'])
  })
}
