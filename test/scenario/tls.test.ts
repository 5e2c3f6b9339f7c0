// A real edge with certificates, and the clients that people have: curl, openssl, Node. Certificates come from openssl
// and are taken as they are; which one a client was given is told by its names.
import { execFile } from 'node:child_process'
import { copyFile, writeFile } from 'node:fs/promises'
import { get as httpsGet } from 'node:https'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { bytesOf, sha256 } from '../kit/bytes.ts'
import { makeCertificate, openssl } from '../kit/certificates.ts'
import { prepareEdge, startEdge } from '../kit/edge.ts'
import type { TestEdge } from '../kit/edge.ts'
import { DaemonFailed } from '../kit/process.ts'
import { startSchedulerProcess } from '../kit/scheduler-process.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import { tempDirectory } from '../kit/temp.ts'
import { connectTls, openRawTls } from '../kit/tls-server.ts'
import { until } from '../kit/until.ts'

const BODY = bytesOf(1, 3 * 2 ** 20)
const FRESH = { 'Cache-Control': 'max-age=600' }
const directory = await tempDirectory(t)
const one = await makeCertificate(directory, 'one', { names: ['one.example', 'localhost'] })
const oneRsa = await makeCertificate(directory, 'one-rsa', {
  names: ['one.example', 'localhost'],
  kind: 'rsa',
})
const two = await makeCertificate(directory, 'two', { names: ['*.two.example'] })
const three = await makeCertificate(directory, 'three', {
  names: ['only.example', 'one.example'],
  kind: 'rsa',
})
const origin = await startOrigin(t, {
  '/film': { body: BODY, fields: FRESH },
  '/held': { body: BODY, fields: FRESH, pauseAt: 2 ** 20 },
})
const edge = await startEdge(t, {
  origin: origin.url,
  config: { tls: { certificates: [one, oneRsa, two, three], hsts: '1d' } },
})
const port = portOf(edge)
const GET = 'GET /film HTTP/1.1\r\nHost: one.example\r\n\r\n'

function portOf(of: TestEdge): number {
  return Number(new URL(of.url).port)
}

const run = promisify(execFile)

async function curl(...args: string[]): Promise<{ hash: string; version: string; status: string }> {
  const { stdout } = await run(
    'curl',
    [
      '--silent',
      '--insecure',
      '--output',
      '-',
      '--write-out',
      '%{stderr}%{http_version} %{http_code}',
      ...args,
    ],
    { encoding: 'buffer', maxBuffer: 16 * 2 ** 20 },
  ).then(
    (done) => ({ stdout: { body: done.stdout, info: done.stderr.toString() } }),
    (error: unknown) => ({ stdout: { body: Buffer.alloc(0), info: `failed ${String(error)}` } }),
  )
  const [version = '', status = ''] = stdout.info.split(' ')
  return { hash: sha256(stdout.body), version, status }
}

t.test('it says that it speaks HTTPS', async (t) => {
  t.equal(edge.process.listeners['public'], edge.url.replace('http:', 'https:'))
})

t.test('curl by every version', async (t) => {
  const url = `https://localhost:${port}/film`
  for (const [args, version] of [
    [['--http1.1', '--tlsv1.2', '--tls-max', '1.2'], '1.1'],
    [['--http1.1', '--tlsv1.3'], '1.1'],
    [['--http2', '--tlsv1.2', '--tls-max', '1.2'], '2'],
    [['--http2', '--tlsv1.3'], '2'],
    [['--no-alpn'], '1.1'],
  ] as const) {
    const reply = await curl(...args, '--resolve', `localhost:${port}:127.0.0.1`, url)
    t.strictSame(reply, { hash: sha256(BODY), version, status: '200' }, args.join(' '))
  }
  t.equal(origin.count('/film'), 1)
})

/** Which certificate a client is given. */
async function given(...args: string[]): Promise<string> {
  const { text } = await openssl(port, args)
  return /subject=CN ?= ?(\S+)/.exec(text)?.[1] ?? text
}

t.test('the certificate is the one for the name, of a kind that the client knows', async (t) => {
  t.equal(await given('-servername', 'one.example'), 'one')
  t.equal(await given('-servername', 'ONE.example'), 'one')
  t.equal(await given('-servername', 'one.example', '-sigalgs', 'rsa_pss_rsae_sha256'), 'one-rsa')
  t.equal(await given('-servername', 'www.two.example'), 'two')
  t.equal(await given('-servername', 'only.example'), 'three')
  t.equal(await given('-servername', 'a.www.two.example'), 'one', 'a wildcard is one label')
  t.equal(await given('-servername', 'unknown.example'), 'one')
  t.equal(await given('-noservername'), 'one')
})

t.test('what is weak is refused', async (t) => {
  const refused: string[][] = [
    ['-tls1_1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['-tls1', '-cipher', 'ALL:@SECLEVEL=0'],
    ['-tls1_2', '-cipher', 'AES128-SHA:@SECLEVEL=0'],
    ['-tls1_2', '-cipher', 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0'],
    ['-tls1_2', '-cipher', 'AES128-GCM-SHA256:@SECLEVEL=0'],
    ['-tls1_2', '-cipher', 'aNULL:eNULL:@SECLEVEL=0'],
    ['-alpn', 'spdy/3'],
  ]
  for (const args of refused) {
    const { text } = await openssl(port, args)
    t.notMatch(text, /Cipher is (?!\(NONE\))/, args.join(' '))
    t.match(text, /alert|no ciphers|no protocols|unsupported protocol/i, args.join(' '))
  }
  const { text } = await openssl(port, ['-tls1_2', '-alpn', 'h2,http/1.1'])
  t.match(text, /Cipher is ECDHE-ECDSA-AES/)
  t.match(text, /ALPN protocol: h2/)
})

t.test('a client cannot renegotiate', async (t) => {
  const { text } = await openssl(port, ['-tls1_2', '-msg', '-alpn', 'http/1.1'], 'R\n')
  t.match(text, /no_renegotiation|no renegotiation/)
})

t.test('sessions are taken up again, by either version', async (t) => {
  for (const version of ['1.2', '1.3']) {
    for (const name of ['one.example', 'www.two.example']) {
      const file = path.join(directory, `session-${version}-${name}`)
      const args = [`-tls${version.replace('.', '_')}`, '-servername', name]
      const request = GET.replace('/film', '/none').replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
      await openssl(port, [...args, '-sess_out', file, '-ign_eof'], request)
      const { text } = await openssl(port, [...args, '-sess_in', file])
      t.match(text, `Reused, TLSv${version}`, name)
    }
  }
})

t.test('Strict-Transport-Security as configured, once, on every kind of reply', async (t) => {
  const client = await openRawTls(t, port)
  for (const request of [
    GET,
    GET.replace('GET', 'HEAD'),
    GET.replace('/film', '/none'),
    GET.replace('GET', 'DELETE'),
  ]) {
    client.send(request)
    const reply = await client.read({ head: request.startsWith('HEAD') })
    t.equal(reply?.headers.get('strict-transport-security'), 'max-age=86400')
  }
  const plain = await startEdge(t, { origin: origin.url })
  const { stdout } = await run('curl', ['--silent', '--head', `${plain.url}/film`])
  t.notMatch(stdout, /strict-transport-security/i)
})

t.test('plain HTTP gets no answer', async (t) => {
  await t.rejects(run('curl', ['--silent', '--show-error', '--http0.9', `http://127.0.0.1:${port}/film`]))
})

t.test(
  'new certificates in the middle of a download: it goes on, and the next client has the new one',
  async (t) => {
    const place = await tempDirectory(t)
    const current = { certificate: path.join(place, 'c.pem'), key: path.join(place, 'k.pem') }
    const put = async (from: typeof current) => {
      await copyFile(from.certificate, current.certificate)
      await copyFile(from.key, current.key)
    }
    await put(one)
    const server = await startEdge(t, {
      origin: origin.url,
      config: { tls: { certificates: [current] } },
    })
    const names = async () => {
      const socket = await connectTls(t, portOf(server))
      const name = socket.getPeerCertificate().subject.CN
      socket.destroy()
      return name
    }
    const said = (text: string) => server.log().filter(({ msg }) => msg?.includes(text) === true).length
    const client = await openRawTls(t, portOf(server))
    client.send(GET.replace('/film', '/held'))
    t.ok(await client.has(500_000))

    await put(two)
    server.process.signal('SIGHUP')
    await until('it has them', () => said('certificates replaced') === 1)
    t.equal(await names(), 'two')

    await writeFile(current.certificate, 'no certificate')
    server.process.signal('SIGHUP')
    await until('it has tried', () => said('holds no certificate in PEM') === 1)
    t.equal(await names(), 'two', 'what was good stays')

    await put(oneRsa)
    server.process.signal('SIGHUP')
    await until('it has them', () => said('certificates replaced') === 2)
    t.equal(await names(), 'one-rsa')

    origin.resume('/held')
    t.ok((await client.read())?.body.equals(BODY), 'nothing of the download is lost')
  },
)

t.test('certificates that cannot be used stop the start, with key, file and reason', async (t) => {
  const bad = await prepareEdge(t, {
    origin: origin.url,
    config: {
      tls: { certificates: [one, { ...two, key: one.key }, { certificate: 'gone.pem', key: two.key }] },
    },
  })
  const error = await bad.start().catch((cause: unknown) => cause)
  t.ok(error instanceof DaemonFailed)
  if (!(error instanceof DaemonFailed)) return
  t.equal(error.status.code, 2)
  t.match(error.stderr, /tls\.certificates\[1\]\.key: .*one\.key is not the key of the certificate/)
  t.match(error.stderr, /tls\.certificates\[2\]\.certificate: .*gone\.pem cannot be read \(ENOENT\)/)
})

t.test('the scheduler steers over TLS, by HTTP/1.1 and HTTP/2', async (t) => {
  const listen = '127.0.0.1:0'
  const scheduler = await startSchedulerProcess(t, {
    scheduler: {
      steering: { listen, tls: { certificates: [one], hsts: '1h' } },
      control: { listen },
      admin: { listen },
    },
  })
  t.match(scheduler.steering, /^https:/)
  t.equal(await scheduler.report('gz-1'), 200)
  await scheduler.untilState('gz-1', 'up')
  for (const version of ['--http1.1', '--http2']) {
    const { stdout } = await run('curl', [
      '--silent',
      '--insecure',
      '--include',
      version,
      '--header',
      'Host: shows.example.com',
      `${scheduler.steering}/a/1.m4s`,
    ])
    t.match(stdout, /^HTTP\/(?:1\.1|2) 302/)
    t.match(stdout, /^location: http:\/\/gz-1\.edges\.example\.com\/~shows\/a\/1\.m4s/im)
    t.match(stdout, /^strict-transport-security: max-age=3600/im)
  }
})

t.test('TLS 1.3 alone, where that is wanted', async (t) => {
  const strict = await startEdge(t, {
    origin: origin.url,
    config: { tls: { certificates: [one], minimum: 'TLSv1.3' } },
  })
  const strictPort = portOf(strict)
  t.match((await openssl(strictPort, ['-tls1_2'])).text, /alert protocol version/)
  t.match((await openssl(strictPort, ['-tls1_3'])).text, /TLSv1\.3, Cipher is TLS_/)
})

t.test('a download through TLS that is left half read holds a drain no longer than its bound', async (t) => {
  const server = await startEdge(t, {
    origin: origin.url,
    config: { tls: { certificates: [one] }, drain: '1s' },
  })
  const response = await new Promise<{ destroy(): void }>((resolve, reject) => {
    httpsGet(
      `https://localhost:${portOf(server)}/film`,
      { rejectUnauthorized: false, agent: false },
      (message) => resolve(message.pause()),
    ).on('error', reject)
  })
  t.strictSame(await server.stop('SIGTERM'), { code: 0, signal: null })
  response.destroy()
})
