// The bodiless server's parser against node:http's: a head it takes for complete means the same to both. What it
// hands over it has not judged, so only the taking has to be right.
import assert from 'node:assert'
import { createServer } from 'node:http'
import type { Duplex } from 'node:stream'
import { duplexPair } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { HeadParser } from '../../src/http1/head-parser.ts'
import type { HeadOutcome } from '../../src/http1/head-parser.ts'
import { HEAD_BYTES_MAX, HEAD_FIELDS_MAX } from '../../src/http1/limits.ts'

interface Reading {
  method: string
  target: string
  /** Lower-case name → values joined with ', '. */
  fields: Record<string, string>
}

const strict = createServer({
  insecureHTTPParser: false,
  joinDuplicateHeaders: true,
  maxHeaderSize: 2 * HEAD_BYTES_MAX,
})
strict.maxHeadersCount = 2 * HEAD_FIELDS_MAX
t.teardown(() => strict.close())

/** What node:http makes of these bytes: a request, or null for an error. */
function readByNode(head: Buffer): Promise<Reading | null> {
  const [client, server] = duplexPair()
  const { promise, resolve } = Promise.withResolvers<Reading | null>()
  const onRequest: Parameters<typeof strict.on>[1] = (request, response) => {
    resolve({ method: request.method ?? '', target: request.url ?? '', fields: joined(request.rawHeaders) })
    response.end()
  }
  strict.on('request', onRequest)
  client.on('close', () => resolve(null))
  client.on('data', () => resolve(null))
  client.resume()
  strict.emit('connection', server satisfies Duplex)
  client.write(head)
  return promise.finally(() => {
    strict.off('request', onRequest)
    client.destroy()
    server.destroy()
  })
}

function joined(raw: readonly string[]): Record<string, string> {
  const fields: Record<string, string> = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]?.toLowerCase() ?? ''
    const value = raw[i + 1] ?? ''
    const separator = name === 'cookie' ? '; ' : ', '
    fields[name] = Object.hasOwn(fields, name) ? fields[name] + separator + value : value
  }
  return fields
}

function readByUs(
  head: Buffer,
  names: readonly string[],
  parser = new HeadParser(),
): Reading | Exclude<HeadOutcome, 'complete'> {
  const outcome = parser.parse(head, 0, 0)
  if (outcome !== 'complete') return outcome
  const fields = Object.fromEntries(names.map((name) => [name, parser.header(name) ?? '(absent)']))
  return { method: parser.method, target: parser.target, fields }
}

/** Mostly what it should be. */
const often = <T>(usual: fc.Arbitrary<T>, odd: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: usual, weight: 25 }, { arbitrary: odd, weight: 1 })

const bytes = (maxLength: number) =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array).toString('latin1'))
const anyText = fc.oneof(bytes(12), fc.string({ maxLength: 12 }))
const lineEnd = often(
  fc.constant('\r\n'),
  fc.constantFrom('\n', '\r', '\r\r\n', '\r\n ', '\r\n\t', '\n\r', ''),
)
const colon = often(
  fc.constantFrom(':', ': ', ':  ', ':\t'),
  fc.constantFrom(' :', '\t: ', '', ' ', ':\r\n '),
)
const name = often(
  fc.constantFrom(
    'Range',
    'X-A',
    'x-a',
    'If-None-Match',
    'Connection',
    'COOKIE',
    'Accept',
    '!#$%',
    'Referer',
  ),
  fc.oneof(
    fc.constantFrom(
      'Host',
      'Content-Length',
      'Transfer-Encoding',
      'Upgrade',
      'Expect',
      'Hos',
      'Host ',
      '',
      'X A',
    ),
    anyText,
  ),
)
const value = often(
  fc.oneof(
    fc.constantFrom('', 'a', 'bytes=0-1', 'close', 'keep-alive, x', 'a b\tc ', 'h\xe9', ' "q" '),
    fc.string(),
  ),
  fc.oneof(
    fc.constantFrom('0', '5', 'chunked', '100-continue', '\0', '\x7f', 'a\rb', 'a\nb', 'h2c'),
    anyText,
  ),
)
const field = fc.tuple(name, colon, value, lineEnd).map((parts) => parts.join(''))
const host = often(
  fc.constantFrom('Host: a.example\r\n', 'host:[::1]:80\r\n', 'HOST: x_y \r\n'),
  fc.constantFrom(
    '',
    'Host:\r\n',
    'Host: a\r\nHost: a\r\n',
    'Host : a\r\n',
    'Host: a/b\r\n',
    'Host: a b\r\n',
  ),
)
const startLine = fc
  .tuple(
    often(
      fc.constantFrom('GET', 'HEAD', 'OPTIONS'),
      fc.constantFrom('POST', 'get', 'PRI', 'CONNECT', '', '\r\nGET'),
    ),
    often(fc.constant(' '), fc.constantFrom('  ', '\t', '')),
    often(
      fc.oneof(
        fc.constantFrom('/', '/a?b=c%20', "/!$&'()*+,;=:@[]{}|~", '//x'),
        fc.webPath().map((path) => `/${path}`),
      ),
      fc.oneof(fc.constantFrom('*', 'http://b/x', '/a b', '/a#b', '/a\\', '/<>"^`', '/\xe9', ''), anyText),
    ),
    often(
      fc.constant(' HTTP/1.1'),
      fc.constantFrom(' HTTP/1.0', ' HTTP/2.0', ' http/1.1', '', ' HTTP/1.1 ', ' HTTP/1.10', '  HTTP/1.1'),
    ),
    lineEnd,
  )
  .map((parts) => parts.join(''))
const wellFormed = fc
  .tuple(startLine, fc.array(field, { maxLength: 4 }), host, fc.array(field, { maxLength: 4 }), lineEnd)
  .map(([start, before, own, after, end]) =>
    Buffer.from(start + before.join('') + own + after.join('') + end, 'latin1'),
  )

/** Bytes flipped, put in, taken out. */
const damaged = fc
  .tuple(wellFormed, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(2)), { minLength: 1, maxLength: 3 }))
  .map(([head, changes]) => {
    let text = head
    for (const [where, byte, kind] of changes) {
      const at = where % (text.length + 1)
      const put = kind === 1 ? [] : [byte]
      text = Buffer.concat([text.subarray(0, at), Buffer.from(put), text.subarray(kind === 0 ? at : at + 1)])
    }
    return text
  })

const head = fc.oneof(wellFormed, damaged)

const lengths = often(
  fc.constantFrom('Content-Length: 5\r\n', 'content-length:\t17 \r\n', 'CONTENT-LENGTH: 007\r\n'),
  fc.constantFrom(
    ...['5\r\nContent-Length: 5', '+5', '5, 5', '-1', '0x5', '', '5 5', '9'.repeat(30), '\xb2'].map(
      (text) => `Content-Length: ${text}\r\n`,
    ),
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Content-Length : 5\r\n',
    '',
  ),
)
const postHead = fc
  .tuple(startLine, fc.array(field, { maxLength: 2 }), host, lengths, fc.array(field, { maxLength: 2 }))
  .map(([start, before, own, length, after]) =>
    Buffer.from(
      `POST${start.replace(/^[A-Z]+/, '')}${before.join('')}${own}${length}${after.join('')}\r\n`,
      'latin1',
    ),
  )

t.test('what it takes, node:http reads the same', async (t) => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(head, async (bytes) => {
      // Only the head: what follows belongs to the next request.
      const end = bytes.indexOf('\r\n\r\n')
      const alone = end < 0 ? bytes : bytes.subarray(0, end + 4)
      if (typeof readByUs(alone, []) === 'string') return
      taken++
      const byNode = await readByNode(alone)
      assert.deepStrictEqual(readByUs(alone, Object.keys(byNode?.fields ?? {})), byNode)
    }),
    { numRuns: 5000 },
  )
  t.ok(taken > 500, `${taken} heads were taken`)
})

t.test('where it takes posts, node:http reads the same, and the same length of their bodies', async (t) => {
  let taken = 0
  await fc.assert(
    fc.asyncProperty(postHead, async (bytes) => {
      const alone = bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4)
      assert.equal(readByUs(alone, []), 'hand-over', 'another parser takes none')
      const parser = new HeadParser({ takesPosts: true })
      if (typeof readByUs(alone, [], parser) === 'string') return
      taken++
      const byNode = await readByNode(alone)
      assert.deepStrictEqual(readByUs(alone, Object.keys(byNode?.fields ?? {}), parser), byNode)
      assert.equal(parser.bodyLength, Number(byNode?.fields['content-length']))
    }),
    { numRuns: 2000 },
  )
  t.ok(taken > 200, `${taken} heads were taken`)
})

t.test('it does not matter in how many pieces a head comes', async (t) => {
  fc.assert(
    fc.property(head, (bytes) => {
      const whole = new HeadParser()
      const outcome = whole.parse(bytes, 0, 0)
      const piecemeal = new HeadParser()
      let scanned = 0
      for (let length = 1; length < bytes.length; length++) {
        const sofar = piecemeal.parse(bytes.subarray(0, length), 0, scanned)
        scanned = length
        if (outcome === 'complete' && length < whole.end && sofar !== 'incomplete') return false
        // Handed over before its end: then it was none of ours.
        if (sofar === 'hand-over') return outcome === 'hand-over'
        if (sofar === 'complete') break
      }
      if (outcome !== 'complete') return true
      piecemeal.parse(bytes, 0, Math.min(scanned, whole.end - 1))
      return (
        piecemeal.end === whole.end &&
        piecemeal.method === whole.method &&
        piecemeal.target === whole.target &&
        piecemeal.host === whole.host &&
        piecemeal.close === whole.close &&
        piecemeal.header('range') === whole.header('range')
      )
    }),
    { numRuns: 3000 },
  )
  t.pass('same')
})

t.test('a parser that is used again remembers nothing', async (t) => {
  const used = new HeadParser()
  fc.assert(
    fc.property(head, (bytes) => {
      const fresh = new HeadParser()
      const outcome = fresh.parse(bytes, 0, 0)
      if (used.parse(bytes, 0, 0) !== outcome) return false
      const names = ['host', 'range', 'x-a', 'connection', 'cookie', 'if-none-match']
      return (
        outcome !== 'complete' ||
        (used.host === fresh.host &&
          used.close === fresh.close &&
          names.every((name) => used.header(name) === fresh.header(name)))
      )
    }),
    { numRuns: 2000 },
  )
  t.pass('same')
})

const outcome = (text: string) => new HeadParser().parse(Buffer.from(text, 'latin1'), 0, 0)

t.test('its bounds: bytes and fields', async (t) => {
  const start = 'GET / HTTP/1.1\r\nHost: a\r\n'
  const padded = (length: number) => `${start}X: ${'x'.repeat(length - start.length - 7)}\r\n\r\n`
  t.equal(padded(HEAD_BYTES_MAX).length, HEAD_BYTES_MAX)
  t.equal(outcome(padded(HEAD_BYTES_MAX)), 'complete')
  t.equal(outcome(padded(HEAD_BYTES_MAX + 1)), 'hand-over')
  t.equal(outcome(padded(HEAD_BYTES_MAX + 1).slice(0, -4)), 'incomplete')
  t.equal(outcome(padded(HEAD_BYTES_MAX + 5).slice(0, -4)), 'hand-over', 'no end within the bound')
  t.equal(outcome(start + 'a: b\r\n'.repeat(HEAD_FIELDS_MAX - 1) + '\r\n'), 'complete')
  t.equal(outcome(start + 'a: b\r\n'.repeat(HEAD_FIELDS_MAX) + '\r\n'), 'hand-over')
})
