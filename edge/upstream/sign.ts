// Requests to stores that want them signed: AWS Signature Version 4, as S3-compatible stores take it. What is signed is
// what is sent: the path and query in the one spelling that the signature is made of, and the Host that the request names.
import { createHash } from 'node:crypto'
import { parse, stringify } from 'node:querystring'
import aws4 from 'aws4'
import { EdgewardError } from '../../src/errors.ts'
import type { FieldPairs } from '../../src/http/fields.ts'
import type { WireOrigin } from '../../src/wire/edge-config.ts'

export type SignSettings = NonNullable<WireOrigin['sign']>

export interface UnsignedRequest {
  readonly method: string
  /** Origin-form, base path and query included. */
  readonly path: string
  /** As it is sent. */
  readonly host: string
  readonly hasBody: boolean
  /** Fields that the configuration adds: those that are the store's own must be signed. */
  readonly headers: Readonly<Record<string, string>>
}

export interface SignedRequest {
  /** To be sent in place of the one that was asked for. */
  readonly path: string
  /** To be sent besides the others. */
  readonly fields: FieldPairs
}

const NO_BODY = createHash('sha256').digest('hex')

/** A client's own never go up: the store would take them for signed, or refuse what is not. */
export function isOfSignature(lowerName: string): boolean {
  return lowerName === 'authorization' || lowerName.startsWith('x-amz-')
}

/** Throws (`bad_request`) where the path is no text: a store has no such object. */
export function signedRequest(
  { region, service, accessKey, secretKey, sessionToken }: SignSettings,
  { method, path, host, hasBody, headers }: UnsignedRequest,
  nowMs: number,
): SignedRequest {
  const target = canonicalTarget(path)
  const own = Object.entries(headers).filter(([name]) => name.toLowerCase().startsWith('x-amz-'))
  const signed = aws4.sign(
    {
      method,
      path: target,
      service,
      region,
      headers: {
        ...Object.fromEntries(own),
        Host: host,
        'X-Amz-Date': new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, ''),
        // A body goes up as it comes: it is not known when the head is sent.
        'X-Amz-Content-Sha256': hasBody ? 'UNSIGNED-PAYLOAD' : NO_BODY,
      },
    },
    {
      accessKeyId: accessKey,
      secretAccessKey: secretKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    },
  )
  const sentAnyway = new Set(['Host', ...own.map(([name]) => name)])
  const fields = Object.entries(signed.headers ?? {}).flatMap(([name, value]) =>
    sentAnyway.has(name) ? [] : [name, String(value)],
  )
  return { path: target, fields }
}

/**
 * Signers spell a target anew before they sign it, each reserved octet escaped, and so does the store: one that is sent
 * so is read alike by all. Of a parameter that is repeated the first counts.
 */
function canonicalTarget(path: string): string {
  const question = path.indexOf('?')
  const segments = (question < 0 ? path : path.slice(0, question)).split('/')
  const spelled = segments.map((segment) => escape(unescape(segment))).join('/')
  if (question < 0) return spelled
  const query = Object.entries(parse(path.slice(question + 1))).flatMap(([name, value]) => {
    if (name === '') return []
    return [[name, Array.isArray(value) ? (value[0] ?? '') : (value ?? '')]]
  })
  const text = stringify(Object.fromEntries(query), '&', '=', { encodeURIComponent: escape })
  return text === '' ? spelled : `${spelled}?${text}`
}

function unescape(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch (error) {
    throw new EdgewardError('bad_request', 'client', 'path is not UTF-8', { cause: error })
  }
}

/** RFC 3986 §2.3: all that is not unreserved. */
function escape(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}
