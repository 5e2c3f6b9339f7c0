// A real scheduler locates clients by files that change under it: networks from a file, AS numbers, GeoIP. A new file
// steers the next client; a broken one steers none astray.
import { rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { get } from '../kit/client.ts'
import { metricOf } from '../kit/metric.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

const RELOADS = 'edgeward_scheduler_geoip_reloads_total'

t.test('coverage from a file and by number; GeoIP files are replaced while it steers', async (t) => {
  const directory = await tempDirectory(t)
  const asn = path.join(directory, 'asn.mmdb')
  const networks = path.join(directory, 'guangzhou.txt')
  await writeFile(networks, '# of the ISP\n60.1.0.0/16\n240e:1::/32\n60.1.0.0/16\n')
  await writeMmdb(asn, { '46.0.0.0/8': { asn: 3320 } })
  const listen = { listen: '127.0.0.1:0' }
  const scheduler = await startSchedulerProcess(t, {
    scheduler: {
      steering: listen,
      control: listen,
      admin: listen,
      trustedProxies: ['127.0.0.0/8'],
      geoip: { asn },
    },
    sites: [
      { id: 'guangzhou', coverage: { file: networks } },
      { id: 'frankfurt', coverage: { asns: [3320] } },
    ],
  })
  for (const id of ['gz-1', 'fra-1']) {
    scheduler.keepReporting(id)
    await scheduler.untilState(id, 'up')
  }
  const sentTo = async (client: string) => {
    const { headers } = await get(`${scheduler.steering}/a/main.m3u8`, {
      headers: { host: 'shows.example.com', 'x-forwarded-for': client },
    })
    return headers.location?.split('/')[2]?.split('.')[0]
  }
  const counted = (result: string) => metricOf(scheduler.admin, `${RELOADS}{result="${result}"}`)
  t.match(scheduler.daemon.stderr(), /guangzhou\.txt:4: 60\.1\.0\.0\/16 is also .*guangzhou\.txt:2/)
  t.equal(await sentTo('60.1.2.3'), 'gz-1', 'the file')
  t.equal(await sentTo('240e:1::9'), 'gz-1', 'the file, IPv6')
  t.equal(await sentTo('46.1.1.1'), 'fra-1', 'the number')
  t.equal(await sentTo('60.2.0.1'), 'gz-1', 'the default site')
  t.equal(await metricOf(scheduler.admin, 'edgeward_scheduler_locations_total{source="asn"}'), 1)

  await writeMmdb(`${asn}.new`, { '60.2.0.0/16': { asn: 3320 } })
  await rename(`${asn}.new`, asn)
  scheduler.daemon.signal('SIGHUP')
  await until('the new file is in use', async () => (await counted('replaced')) === 1)
  t.equal(await sentTo('60.2.0.1'), 'fra-1')
  t.equal(await sentTo('46.1.1.1'), 'gz-1', 'no longer known: the default site')

  await writeFile(asn, 'half a databa')
  scheduler.daemon.signal('SIGHUP')
  await until('the broken file was met', async () => (await counted('failed')) === 1)
  t.equal(await sentTo('60.2.0.1'), 'fra-1', 'the old one answers on')
  await until('the log says why', () =>
    /GeoIP files not replaced, the old ones answer on: .*asn\.mmdb is not a MaxMind/.test(
      scheduler.daemon.stderr(),
    ),
  )
  t.equal(await counted('replaced'), 1)
})
