// An edge that judges by country takes up a new GeoIP file while it runs; a broken one changes no verdict.
import { rename, rm } from 'node:fs/promises'
import path from 'node:path'
import t from 'tap'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { metricOf } from '../kit/metric.ts'
import { writeMmdb } from '../kit/mmdb-file.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

t.test('a new GeoIP file judges the next request', async (t) => {
  const country = path.join(await tempDirectory(t), 'country.mmdb')
  await writeMmdb(country, { '60.0.0.0/8': { country_code: 'CN' } })
  const origin = await startOrigin(t, {
    '/film': { body: 'film', fields: { 'cache-control': 'max-age=60' } },
  })
  const edge = await startEdge(t, {
    origin: origin.url,
    properties: [
      { id: 'all', hosts: ['*'], origins: [{ id: 'studio' }], access: { countries: { allow: ['CN'] } } },
    ],
    config: { geoip: { country }, trustedProxies: ['127.0.0.0/8'] },
  })
  const statusOf = async (client: string) => {
    const { status } = await get(`${edge.url}/film`, { headers: { 'x-forwarded-for': client } })
    return status
  }
  const counted = (result: string) =>
    metricOf(edge.admin, `edgeward_edge_geoip_reloads_total{result="${result}"}`)
  t.strictSame([await statusOf('60.1.1.1'), await statusOf('61.1.1.1')], [200, 403])

  await writeMmdb(`${country}.new`, { '61.0.0.0/8': { country_code: 'CN' } })
  await rename(`${country}.new`, country)
  edge.process.signal('SIGHUP')
  await until('the new file is in use', async () => (await counted('replaced')) === 1)
  t.strictSame([await statusOf('60.1.1.1'), await statusOf('61.1.1.1')], [403, 200])

  await rm(country)
  edge.process.signal('SIGHUP')
  await until('that it is gone was met', async () => (await counted('failed')) === 1)
  t.strictSame([await statusOf('60.1.1.1'), await statusOf('61.1.1.1')], [403, 200])
})
