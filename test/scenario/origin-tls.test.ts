// Origins over TLS: nginx with a certificate of an authority of one's own, by a name that is not in the URL, and one that
// wants a certificate of the edge as well. What is not proved is not asked, and the answer says so.
import { readFile } from 'node:fs/promises'
import t from 'tap'
import { makeCertificate } from '../kit/certificates.ts'
import type { CertificateFiles } from '../kit/certificates.ts'
import { get } from '../kit/client.ts'
import { startEdge } from '../kit/edge.ts'
import { findNginx, startNginx } from '../kit/nginx.ts'
import { tempDirectory } from '../kit/temp.ts'
import { until } from '../kit/until.ts'

/** A server block that answers with what it was asked by. */
function server({ certificate, key }: CertificateFiles, more: string): string {
  return `
    ssl_certificate ${certificate}; ssl_certificate_key ${key}; ${more}
    location / { add_header Cache-Control no-store; return 200 "$ssl_server_name $http_host $ssl_client_s_dn\\n"; }`
}

function askedFor(host: string): { status: number; text: string } {
  return { status: 200, text: `other.example.com ${host} ` }
}

const nginx = findNginx('http_ssl_module')

t.test('an origin over TLS', { skip: nginx === undefined && 'no nginx with TLS is installed' }, async (t) => {
  const directory = await tempDirectory(t)
  const cert = (name: string, names: string[]) => makeCertificate(directory, name, { names })
  const studio = await cert('studio', ['studio.example.com'])
  const other = await cert('other', ['other.example.com', 'IP:127.0.0.1'])
  const edgeOne = await cert('edge-one', ['edge-one'])
  const stranger = await cert('stranger', ['stranger'])
  const servers = [
    server(other, 'server_name other.example.com;'),
    server(studio, `ssl_client_certificate ${edgeOne.certificate}; ssl_verify_client on;`),
  ]
  const [plain, strict] = await startNginx(t, nginx ?? '', servers, { listen: 'ssl' })
  const [url, strictUrl] = [`https://127.0.0.1:${plain}`, `https://127.0.0.1:${strict}`]
  const otherTls = { ca: other.certificate, serverName: 'other.example.com' }
  const strictTls = { ca: studio.certificate, serverName: 'studio.example.com' }
  const origins = [
    { id: 'own-ca', url, tls: otherTls },
    { id: 'by-host', url, host: 'other.example.com', tls: { ca: other.certificate } },
    { id: 'both-names', url, host: 'films.example.com:8443', tls: otherTls },
    { id: 'by-address', url, host: '127.0.0.1', tls: { ca: other.certificate } },
    { id: 'wrong-name', url, tls: { ...otherTls, serverName: 'wrong.example.com' } },
    { id: 'no-ca', url, host: 'other.example.com' },
    { id: 'wrong-ca', url, tls: { ...otherTls, ca: studio.certificate } },
    { id: 'known', url: strictUrl, tls: { ...strictTls, ...edgeOne } },
    { id: 'nobody', url: strictUrl, tls: strictTls },
    { id: 'stranger', url: strictUrl, tls: { ...strictTls, ...stranger } },
  ]
  const edge = await startEdge(t, {
    origin: '',
    config: { origins },
    properties: origins.map(({ id }) => ({ id, hosts: [id], origins: [{ id }] })),
  })
  const ask = (id: string) => get(`${edge.url}/film`, { headers: { Host: id } })

  t.test('an authority of its own, and the name that is asked for', async (t) => {
    t.match(await ask('own-ca'), askedFor(`127.0.0.1:${plain}`))
    t.match(await ask('by-host'), askedFor('other.example.com'))
    t.match(await ask('by-address'), { status: 200, text: / 127\.0\.0\.1 / })
    t.match(await ask('both-names'), askedFor('films.example.com:8443'))
  })

  t.test('a certificate of another name, or of nobody it knows', async (t) => {
    const refused = { status: 502, headers: { 'proxy-status': 'solo; error=tls_certificate_error' } }
    for (const id of ['wrong-name', 'no-ca', 'wrong-ca']) t.match(await ask(id), refused, id)
    await until('the log says which name', () => /wrong\.example\.com/.test(JSON.stringify(edge.log())))
  })

  t.test('an origin that knows its edges by their certificate', async (t) => {
    t.match(await ask('known'), { status: 200, text: /CN=edge-one/ })
    t.match(await ask('nobody'), { status: 400 }, 'nginx asks for one')
    t.match(await ask('stranger'), { status: 400 })
    const key = await readFile(edgeOne.key, 'utf8')
    t.notMatch(edge.process.stderr(), key.split('\n')[1] ?? '', 'its key is in no log')
  })
})
