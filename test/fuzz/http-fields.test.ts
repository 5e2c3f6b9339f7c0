// Field values from anyone: Cache-Control, structured fields, Range, Vary, conditions, dates, whole origin heads.
// Nothing throws but the typed refusal, and no text takes long. Short here; EDGEWARD_FUZZ_SECONDS=600 for long.
import fc from 'fast-check'
import t from 'tap'
import { readHead } from '../../edge/fill/response-meta.ts'
import { EdgewardError } from '../../src/errors.ts'
import { parseCacheControl, parseTargeted } from '../../src/http/cache-control.ts'
import { parseHttpDate } from '../../src/http/date.ts'
import { parseContentRange, rangeStart, resolveRange } from '../../src/http/range.ts'
import { parseDictionary } from '../../src/http/structured-fields.ts'
import { ifRangeHolds, isNotModified, parseEtag } from '../../src/http/validators.ts'
import { selectingFields, variantText } from '../../src/http/vary.ts'

const seconds = Number(process.env['EDGEWARD_FUZZ_SECONDS'] ?? '1')
const budget = { interruptAfterTimeLimit: seconds * 1000, numRuns: 1_000_000, markInterruptAsFailure: false }

const WORDS = [
  'max-age',
  's-maxage',
  'no-store',
  'no-cache',
  'private',
  'public',
  'must-understand',
  'stale-if-error',
  '=',
  ',',
  ';',
  '"',
  '\\',
  ' ',
  '\t',
  '(',
  ')',
  '?0',
  '?1',
  ':',
  '@',
  '%"',
  '-',
  '.',
  '*',
  '/',
  'W/"a"',
  '0',
  '1',
  '3600',
  '99999999999999999999',
  '3.5',
  'bytes',
  'bytes=',
  '0-',
  '-5',
  '5-4',
  '*/10',
  '0-4/10',
  'Sun, 06 Nov 1994 08:49:37 GMT',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'Sun Nov  6 08:49:37 1994',
  'ÿ',
  '\0',
]
const value = fc.oneof(
  fc.array(fc.constantFrom(...WORDS), { maxLength: 24 }).map((parts) => parts.join('')),
  fc.array(fc.constantFrom(...WORDS), { maxLength: 24 }).map((parts) => parts.join(' ')),
  fc.string({ unit: 'binary', maxLength: 60 }),
)

t.test('no value throws', async (t) => {
  fc.assert(
    fc.property(value, fc.nat(1e6), (text, length) => {
      const control = parseCacheControl(text)
      for (const lifetime of [control.maxAge, control.sMaxAge]) {
        if (lifetime !== undefined && !(Number.isInteger(lifetime) && lifetime >= 0)) return false
      }
      parseTargeted(text)
      parseDictionary(text)
      selectingFields(text, () => true)
      variantText(['accept-language', 'x'], () => text)
      parseEtag(text)
      isNotModified(text, text, { etag: text, lastModified: text }, 0)
      ifRangeHolds(text, { etag: text, lastModified: text })
      rangeStart(text)
      parseHttpDate(text, 0)
      const part = parseContentRange(text)
      if (part !== undefined && part.end <= part.start) return false
      const range = resolveRange(text, length)
      return typeof range === 'string' || (range.start >= 0 && range.start < range.end && range.end <= length)
    }),
    budget,
  )
  t.pass('all read')
})

const name = fc.constantFrom(
  'Cache-Control',
  'CDN-Cache-Control',
  'Age',
  'Date',
  'Expires',
  'Vary',
  'ETag',
  'Last-Modified',
  'Connection',
  'Content-Length',
  'Content-Range',
  'Transfer-Encoding',
  'Set-Cookie',
  'Accept-Ranges',
  'X-Other',
)

t.test('no origin head throws but as the origin’s fault', async (t) => {
  const rule = {
    overrideMs: undefined,
    defaultMs: 0,
    staleIfErrorMs: 0,
    ownCors: true,
    forwards: () => true,
    setCookie: 'pass' as const,
    memoryOnly: false,
  }
  const context = {
    key: 'k',
    sliceBytes: 65_536,
    requestMs: 0,
    responseMs: 1,
    unique: '#',
    rule,
    fromEdge: false,
    authorised: false,
    asOf: 0,
  }
  const status = fc.constantFrom(200, 203, 204, 206, 301, 404, 416, 500, 503, 599)
  fc.assert(
    fc.property(status, fc.array(fc.tuple(name, value), { maxLength: 8 }), (code, fields) => {
      try {
        const { meta, verdict } = readHead({ upstream: 'o', status: code, fields: fields.flat() }, context)
        // What is kept must survive being written as JSON and read back.
        if (verdict !== 'storable') return true
        return [meta.initialAgeMs, meta.lifetimeMs, meta.receivedMs].every(Number.isFinite)
      } catch (error) {
        return error instanceof EdgewardError && error.source === 'origin'
      }
    }),
    budget,
  )
  t.pass('all read')
})

t.test('hostile repetition is read in linear time', async (t) => {
  // Each of these made some parser of this kind quadratic. Read to the end at all, they are read quickly.
  const patterns = [
    '"\\',
    '=',
    '= ',
    ' ',
    ',',
    '(',
    'a;',
    'a=(',
    '"a',
    '%"',
    'a="\\',
    ':',
    'a,',
    '-',
    '\t\t=',
  ]
  for (const pattern of patterns) {
    const text = pattern.repeat(200_000 / pattern.length)
    parseCacheControl(text)
    parseTargeted(text)
    selectingFields(text, () => true)
    resolveRange(text, 10)
    parseHttpDate(text, 0)
    isNotModified(text, text, { etag: '"a"', lastModified: text }, 0)
  }
  t.pass('within the time of a test')
})
