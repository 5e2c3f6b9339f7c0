// A store like S3 on loopback: it answers only what is signed (AWS Signature Version 4) with its one key, which AWS's own
// signer checks: each request is signed anew from what has arrived, and compared.
import { createHash, createHmac } from 'node:crypto'
import type { Hash, Hmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { SignatureV4 } from '@smithy/signature-v4'
import { systemClock } from '../../src/clock.ts'
import { listen } from '../../src/net/listen.ts'
import type { TestScope } from './scope.ts'

export const STORE_KEY = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}
export const STORE_REGION = 'cn-north-1'

export interface S3Store {
  readonly url: string
  /** What was asked for, and what came of it. */
  readonly seen: readonly { line: string; host: string; status: number }[]
}

/** What the signer makes its digests with. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', bytes(key))
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytes(data))
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest())
  }

  reset(): void {
    throw new Error('a digest is made once')
  }
}

/** `objects`: by path as text, not escaped. `sessionToken`: of temporary credentials, which it asks for then. */
export async function startS3Store(
  t: TestScope,
  objects: Readonly<Record<string, string>>,
  options: { sessionToken?: string } = {},
): Promise<S3Store> {
  const signer = new SignatureV4({
    service: 's3',
    region: STORE_REGION,
    credentials: { ...STORE_KEY, ...options },
    sha256: Sha256,
    uriEscapePath: false,
  })
  const seen: { line: string; host: string; status: number }[] = []
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const refusal = await refusalOf(request, signer, options.sessionToken)
    const status = refusal === null ? answer(request, response, objects) : refuse(response, refusal)
    seen.push({ line: `${request.method} ${request.url}`, host: request.headers.host ?? '', status })
  }
  const server = createServer((request, response) => {
    serve(request, response).catch(() => response.destroy())
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${port}`, seen }
}

/** Of S3's error codes; null: it is signed as it should be. */
async function refusalOf(
  { method = '', url = '', headers }: IncomingMessage,
  signer: SignatureV4,
  sessionToken: string | undefined,
): Promise<string | null> {
  const signed = /^AWS4-HMAC-SHA256 .*, ?SignedHeaders=([^,]+), ?Signature=[0-9a-f]{64}$/.exec(
    headers.authorization ?? '',
  )
  if (signed === null) return 'AccessDenied'
  const names = (signed[1] ?? '').split(';')
  if (!names.includes('host')) return 'AccessDenied'
  if (Object.keys(headers).some((name) => name.startsWith('x-amz-') && !names.includes(name)))
    return 'AccessDenied'
  if (headers['x-amz-security-token'] !== sessionToken) return 'InvalidToken'
  const date = dateOf(String(headers['x-amz-date']))
  if (!(Math.abs(date.getTime() - systemClock.now()) < 900_000)) return 'RequestTimeTooSkewed'
  const { pathname, searchParams } = new URL(url, 'http://store')
  const anew = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: headers.host ?? '',
      path: pathname.split('/').map(spelled).join('/'),
      query: Object.fromEntries(searchParams),
      headers: Object.fromEntries(names.map((name) => [name, String(headers[name])])),
    },
    { signingDate: date },
  )
  return normal(anew.headers['authorization']) === normal(headers.authorization)
    ? null
    : 'SignatureDoesNotMatch'
}

function answer(
  { method, url = '', headers }: IncomingMessage,
  response: ServerResponse,
  objects: Readonly<Record<string, string>>,
): number {
  const { pathname } = new URL(url, 'http://store')
  const text = objects[decodeURIComponent(pathname)]
  if (text === undefined) return refuse(response, 'NoSuchKey', 404)
  const whole = Buffer.from(text)
  const range = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '')
  const start = Number(range?.[1] ?? 0)
  const end = Math.min(whole.length, range === null ? whole.length : Number(range[2]) + 1)
  response.writeHead(range === null ? 200 : 206, {
    ETag: `"${createHash('md5').update(whole).digest('hex')}"`,
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'max-age=600',
    'Content-Length': end - start,
    ...(range === null ? {} : { 'Content-Range': `bytes ${start}-${end - 1}/${whole.length}` }),
  })
  response.end(method === 'HEAD' ? undefined : whole.subarray(start, end))
  return response.statusCode
}

function refuse(response: ServerResponse, code: string, status = 403): number {
  response.writeHead(status, { 'Content-Type': 'application/xml' })
  response.end(`<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code></Error>`)
  return status
}

/** `20130524T000000Z`. */
function dateOf(text: string): Date {
  return new Date(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function spelled(segment: string): string {
  return encodeURIComponent(decodeURIComponent(segment)).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** With or without spaces behind commas. */
function normal(field: string | undefined): string {
  return (field ?? '').replaceAll(', ', ',')
}

function bytes(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === 'string') return Buffer.from(data)
  return ArrayBuffer.isView(data)
    ? Buffer.from(data.buffer, data.byteOffset, data.byteLength)
    : Buffer.from(data)
}
