// One probe of an origin: what is asked for, over which family, by whose certificate, and what comes of it.
import { readFile } from 'node:fs/promises'
import { createServer as createSecureServer } from 'node:https'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import t from 'tap'
import { OriginProber, familiesOf, isProbed } from '../../scheduler/origin/origin-prober.ts'
import { ProbeLookups } from '../../scheduler/origin/probe-lookups.ts'
import { makeCertificate } from '../kit/certificates.ts'
import { startPlainOrigin } from '../kit/plain-origin.ts'
import { schedulerSettings } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'
import { tempDirectory } from '../kit/temp.ts'

function originOf(entry: object) {
  const { origins } = schedulerSettings({
    origins: [{ id: 'studio', health: { path: '/health', timeout: '5s' }, ...entry }],
  })
  const origin = origins.find(isProbed)
  if (origin === undefined) throw new Error('it is to be probed')
  return origin
}

async function probe(t: TestScope, entry: object, family: 4 | 6 = 4) {
  const prober = new OriginProber(originOf(entry), family, new ProbeLookups())
  t.teardown(() => prober.close())
  return prober.probe()
}

async function listening(t: TestScope, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  // oxlint-disable-next-line no-unsafe-type-assertion -- it listens on a port
  return (server.address() as AddressInfo).port
}

t.test('statuses that are good, and others', async (t) => {
  const origin = await startPlainOrigin(t)
  const { url } = origin
  t.match(await probe(t, { url }), { result: 'ok' })
  t.match(await probe(t, { url: `http://localhost:${origin.port}` }), { result: 'ok' }, 'by name')
  origin.status = 404
  t.match(await probe(t, { url }), { result: 'status', detail: 'the answer is 404' })
  t.match(await probe(t, { url, health: { statuses: [200, 404] } }), { result: 'ok' })
  await origin.stop()
  t.match(await probe(t, { url }), { result: 'refused' })
})

t.test('what does not answer, and names that lead nowhere', async (t) => {
  const silent = createTcpServer((socket) => {
    t.teardown(() => socket.destroy())
  })
  const port = await listening(t, silent)
  const health = { path: '/health', timeout: '300ms' }
  t.match(await probe(t, { url: `http://127.0.0.1:${port}`, health }), { result: 'timeout' })
  const { result } = await probe(t, { url: 'http://studio.invalid' })
  t.ok(['name', 'local'].includes(result), result)
})

t.test('families: of an address its own, of a name both or those asked for', async (t) => {
  t.same(familiesOf(originOf({ url: 'http://192.0.2.1' })), [4])
  t.same(familiesOf(originOf({ url: 'http://[2001:db8::1]:81' })), [6])
  t.same(familiesOf(originOf({ url: 'http://studio.example' })), [4, 6])
  t.same(familiesOf(originOf({ url: 'http://studio.example', health: { families: [6] } })), [6])
  const { port } = await startPlainOrigin(t)
  const overSix = await probe(t, { url: `http://localhost:${port}` }, 6)
  t.not(overSix.result, 'ok', 'it listens on IPv4 alone')
})

t.test('certificates: whose word counts, for which name, and its own', async (t) => {
  const directory = await tempDirectory(t)
  const [server, client] = [
    await makeCertificate(directory, 'server', { names: ['media.example'] }),
    await makeCertificate(directory, 'client'),
  ]
  const names: (string | false | undefined)[] = []
  const secure = createSecureServer(
    {
      cert: await readFile(server.certificate, 'utf8'),
      key: await readFile(server.key, 'utf8'),
      requestCert: true,
      ca: await readFile(client.certificate, 'utf8'),
      SNICallback(name, done) {
        names.push(name)
        done(null)
      },
    },
    (request, response) => response.writeHead(request.headers.host === 'films.example' ? 200 : 421).end(),
  )
  const url = `https://127.0.0.1:${await listening(t, secure)}`
  const tls = {
    ca: await readFile(server.certificate, 'utf8'),
    certificate: await readFile(client.certificate, 'utf8'),
    key: await readFile(client.key, 'utf8'),
    serverName: 'media.example',
  }
  const host = 'films.example'
  t.match(await probe(t, { url, host, tls }), { result: 'ok', detail: '' })
  t.same(names, ['media.example'], 'not the name of the Host field')
  t.match(await probe(t, { url, host, tls: { ...tls, serverName: 'films.example' } }), { result: 'tls' })
  t.match(
    await probe(t, { url, host, tls: { serverName: 'media.example' } }),
    { result: 'tls' },
    'of no authority',
  )
  t.match(
    await probe(t, { url, host, tls: { ...tls, certificate: undefined, key: undefined } }),
    { result: /tls|failed/ },
    'without one of its own',
  )
})
