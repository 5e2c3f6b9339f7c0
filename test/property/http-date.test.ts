// HTTP dates there and back, against the platform's own, and no text that throws.
import fc from 'fast-check'
import t from 'tap'
import { formatHttpDate, parseHttpDate } from '../../src/http/date.ts'

const NOW = Date.UTC(2026, 6, 1)
const second = fc
  .integer({ min: Date.UTC(1000, 0, 1) / 1000, max: Date.UTC(9999, 11, 31) / 1000 })
  .map((seconds) => seconds * 1000)

t.test('every second survives, and reads as the platform writes it', async (t) => {
  fc.assert(
    fc.property(second, fc.nat(999), (ms, fraction) => {
      const text = formatHttpDate(ms + fraction)
      return text === new Date(ms).toUTCString() && parseHttpDate(text, NOW) === ms
    }),
    { numRuns: 2000 },
  )
  t.pass('same')
})

t.test('the obsolete forms say the same', async (t) => {
  const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
  const near = fc
    .integer({ min: Date.UTC(1977, 0, 1) / 1000, max: Date.UTC(2076, 11, 31) / 1000 })
    .map((seconds) => seconds * 1000)
  fc.assert(
    fc.property(near, (ms) => {
      const [day = '', date = '', month = '', year = '', time = ''] = formatHttpDate(ms).split(/,? /)
      const full = DAYS[new Date(ms).getUTCDay()] ?? ''
      return (
        parseHttpDate(`${full}, ${date}-${month}-${year.slice(2)} ${time} GMT`, NOW) === ms &&
        parseHttpDate(`${day} ${month} ${date.replace(/^0/, ' ')} ${time} ${year}`, NOW) === ms
      )
    }),
    { numRuns: 2000 },
  )
  t.pass('same')
})

t.test('a damaged date is none, or another date that there is', async (t) => {
  const damaged = fc
    .tuple(second.map(formatHttpDate), fc.nat(), fc.string({ minLength: 1, maxLength: 1 }))
    .map(([text, at, put]) => text.slice(0, at % text.length) + put + text.slice((at % text.length) + 1))
  fc.assert(
    fc.property(fc.oneof(damaged, fc.string()), (text) => {
      const ms = parseHttpDate(text, NOW)
      return ms === undefined || new Date(ms).toUTCString().slice(4) === formatHttpDate(ms).slice(4)
    }),
    { numRuns: 3000 },
  )
  t.pass('none or another')
})
