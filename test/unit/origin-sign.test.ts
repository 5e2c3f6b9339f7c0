// Signed requests: the examples that AWS publishes, and what AWS's own signer makes of requests that are less plain.
import { request } from 'node:http'
import t from 'tap'
import { isOfSignature, signedRequest } from '../../edge/upstream/sign.ts'
import type { SignSettings, UnsignedRequest } from '../../edge/upstream/sign.ts'
import { systemClock } from '../../src/clock.ts'
import { STORE_KEY, STORE_REGION, startS3Store } from '../kit/s3-store.ts'
import type { S3Store } from '../kit/s3-store.ts'

const { accessKeyId: accessKey, secretAccessKey: secretKey } = STORE_KEY
const SETTINGS: SignSettings = { scheme: 'sigv4', region: STORE_REGION, service: 's3', accessKey, secretKey }

/** "Signature Calculations for the Authorization Header", Amazon S3 API Reference: those without a range. */
const PUBLISHED = {
  '/?lifecycle': 'fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543',
  '/?max-keys=2&prefix=J': '34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7',
}

for (const [path, signature] of Object.entries(PUBLISHED)) {
  t.test(`published: GET ${path}`, async (t) => {
    const { fields } = signedRequest(
      { ...SETTINGS, region: 'us-east-1' },
      { method: 'GET', path, host: 'examplebucket.s3.amazonaws.com', hasBody: false, headers: {} },
      Date.UTC(2013, 4, 24),
    )
    t.equal(
      fields[fields.indexOf('Authorization') + 1],
      `AWS4-HMAC-SHA256 Credential=${accessKey}/20130524/us-east-1/s3/aws4_request, ` +
        `SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=${signature}`,
    )
  })
}

/** Status of a request that is sent as it was signed. */
async function send(
  { url }: S3Store,
  {
    settings = SETTINGS,
    path,
    ...change
  }: Partial<UnsignedRequest> & { path: string; settings?: SignSettings },
): Promise<number> {
  const asked = { method: 'GET', host: 'films.example.com', hasBody: false, headers: {}, path, ...change }
  const signed = signedRequest(settings, asked, systemClock.now())
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const { hostname, port } = new URL(url)
  const configured = Object.entries(asked.headers).flat()
  const headers = ['Host', asked.host, ...configured, ...signed.fields]
  request({ hostname, port, method: asked.method, path: signed.path, headers }, (response) => {
    response.resume()
    resolve(response.statusCode ?? 0)
  })
    .on('error', reject)
    .end(asked.hasBody ? 'hello' : undefined)
  return promise
}

t.test('names that are spelled in several ways, queries, HEAD, bodies', async (t) => {
  const names = [
    '/a b+c',
    "/films/it's (a) film!*.mp4",
    '/电影/一.ts',
    '/a=b&c:d@e;f,$',
    '/~user//two',
    '/100%',
  ]
  const store = await startS3Store(t, Object.fromEntries(names.map((name) => [name, name])))
  const paths = [
    ...names.map((name) => name.split('/').map(encodeURIComponent).join('/')),
    // As clients may write them too.
    "/films/it's%20(a)%20film!*.mp4",
    '/a%20b+c',
    '/a=b&c:d@e;f,$',
    '/%7Euser//two',
    '/%7euser//two?partNumber=1&a=b+c&a=d&empty&=x&tilde=~*',
  ]
  for (const path of paths) t.equal(await send(store, { path }), 200, path)
  t.equal(await send(store, { path: '/100%25', method: 'HEAD' }), 200)
  t.equal(await send(store, { path: '/100%25', method: 'PUT', hasBody: true }), 200)
  t.equal(await send(store, { path: '/100%25', headers: { 'x-amz-request-payer': 'requester' } }), 200)
  t.throws(() => signedRequest(SETTINGS, { ...plain, path: '/%ff' }, 0), { code: 'bad_request' })
})

const plain: UnsignedRequest = { method: 'GET', path: '/film', host: 'h', hasBody: false, headers: {} }

t.test(
  'the store tells what is signed with another key, for another region, or by nobody it knows',
  async (t) => {
    const store = await startS3Store(t, { '/film': 'film' })
    t.equal(await send(store, { path: '/film' }), 200)
    for (const change of [{ secretKey: 'another' }, { region: 'eu-west-1' }, { accessKey: 'AKIDEXAMPLE' }])
      t.equal(await send(store, { path: '/film', settings: { ...SETTINGS, ...change } }), 403)
  },
)

t.test('temporary credentials', async (t) => {
  const store = await startS3Store(t, { '/film': 'film' }, { sessionToken: 'FwoGZXIvYXdz+/=' })
  const settings = { ...SETTINGS, sessionToken: 'FwoGZXIvYXdz+/=' }
  t.equal(await send(store, { path: '/film', settings }), 200)
  t.equal(await send(store, { path: '/film' }), 403)
})

t.test('what a client must not say to a store', async (t) => {
  for (const name of ['authorization', 'x-amz-acl', 'x-amz-date']) t.ok(isOfSignature(name), name)
  for (const name of ['x-amzn-trace-id', 'range', 'accept']) t.notOk(isOfSignature(name), name)
})
