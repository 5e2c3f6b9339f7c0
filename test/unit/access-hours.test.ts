// Time windows: instants, hours over midnight, days, zones whose clocks change, and the minute that is remembered.
import t from 'tap'
import { compileHours, dailyProblem, instantProblem } from '../../src/access/time-window.ts'
import type { HoursSettings } from '../../src/access/rule-settings.ts'

const CASES: [name: string, settings: HoursSettings, inside: string[], outside: string[]][] = [
  [
    'from and until',
    { from: '2026-01-01T00:00:00Z', until: '2026-02-01T00:00:00+08:00' },
    ['2026-01-01T00:00:00Z', '2026-01-31T15:59:59.999Z'],
    ['2025-12-31T23:59:59.999Z', '2026-01-31T16:00:00Z', '2027-01-01T00:00:00Z'],
  ],
  [
    'hours of the day',
    { daily: ['08:00-23:00', '00:30-01:00'] },
    ['2026-01-01T08:00:00Z', '2026-01-01T22:59:59.999Z', '2026-01-01T00:30:00Z'],
    ['2026-01-01T07:59:59.999Z', '2026-01-01T23:00:00Z', '2026-01-01T01:00:00Z', '2026-01-01T00:00:00Z'],
  ],
  ['the whole day', { daily: ['00:00-24:00'] }, ['2026-01-01T00:00:00Z', '2026-01-01T23:59:59Z'], []],
  [
    'over midnight',
    { daily: ['22:00-02:00'] },
    ['2026-01-01T22:00:00Z', '2026-01-01T23:59:59Z', '2026-01-02T00:00:00Z', '2026-01-02T01:59:59Z'],
    ['2026-01-01T21:59:59Z', '2026-01-02T02:00:00Z'],
  ],
  [
    'over midnight, of Friday alone',
    { daily: ['22:00-02:00'], days: ['fri'] },
    ['2026-01-02T23:00:00Z', '2026-01-03T01:00:00Z'],
    ['2026-01-02T01:00:00Z', '2026-01-03T23:00:00Z', '2026-01-03T03:00:00Z'],
  ],
  [
    'over midnight, from Sunday to Monday',
    { daily: ['23:00-01:00'], days: ['sun'] },
    ['2026-01-04T23:30:00Z', '2026-01-05T00:30:00Z'],
    ['2026-01-04T00:30:00Z', '2026-01-05T23:30:00Z'],
  ],
  [
    'days of the week, there',
    { days: ['mon', 'tue'], zone: 'Asia/Shanghai' },
    ['2026-01-04T16:00:00Z', '2026-01-06T15:59:59Z'],
    ['2026-01-04T15:59:59Z', '2026-01-06T16:00:00Z'],
  ],
  [
    'a zone of half hours',
    { daily: ['08:00-09:00'], zone: 'Asia/Kolkata' },
    ['2026-01-01T02:30:00Z'],
    ['2026-01-01T02:29:59Z', '2026-01-01T08:30:00Z'],
  ],
  [
    'summer time: the wall clock counts',
    { daily: ['08:00-09:00'], zone: 'Europe/Berlin' },
    ['2026-01-15T07:30:00Z', '2026-07-15T06:30:00Z'],
    ['2026-01-15T06:30:00Z', '2026-07-15T07:30:00Z'],
  ],
  [
    // 2026-03-29: 01:59:59 is followed by 03:00:00; 2026-10-25: 02:00 to 02:59 comes twice.
    'the hour that is skipped, and the one that comes twice',
    { daily: ['02:00-03:00'], zone: 'Europe/Berlin' },
    ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-03-28T01:30:00Z'],
    ['2026-03-29T00:59:59Z', '2026-03-29T01:00:00Z', '2026-10-25T02:00:00Z'],
  ],
  [
    'all together',
    { from: '2026-01-01T00:00:00Z', until: '2026-01-10T00:00:00Z', daily: ['08:00-12:00'], days: ['thu'] },
    ['2026-01-01T09:00:00Z', '2026-01-08T09:00:00Z'],
    ['2025-12-25T09:00:00Z', '2026-01-02T09:00:00Z', '2026-01-15T09:00:00Z', '2026-01-08T13:00:00Z'],
  ],
]

for (const [name, settings, inside, outside] of CASES) {
  t.test(name, async (t) => {
    const window = compileHours(settings, 'hours')
    for (const at of inside) t.equal(window.includes(Date.parse(at)), true, at)
    for (const at of outside) t.equal(window.includes(Date.parse(at)), false, at)
    // In the other order too: the minute that is remembered must not answer for another.
    for (const at of [...outside, ...inside].toReversed()) {
      t.equal(window.includes(Date.parse(at)), inside.includes(at), `again ${at}`)
    }
  })
}

t.test('what is compared, in words', async (t) => {
  const window = compileHours(
    {
      from: '2026-01-01T00:00:00Z',
      until: '2027-01-01T00:00:00Z',
      daily: ['08:00-23:00'],
      zone: 'Asia/Shanghai',
    },
    'hours',
  )
  const at = (time: string) => window.describe(Date.parse(time))
  t.equal(at('2025-12-31T00:00:00Z'), '2025-12-31T00:00:00Z is before 2026-01-01T00:00:00Z')
  t.equal(at('2027-01-01T00:00:00Z'), '2027-01-01T00:00:00Z is not before 2027-01-01T00:00:00Z')
  t.equal(at('2026-01-01T00:00:00Z'), 'thu 08:00 in Asia/Shanghai is within 08:00-23:00')
  t.equal(at('2026-01-01T15:00:00Z'), 'thu 23:00 in Asia/Shanghai is outside 08:00-23:00')
})

t.test('what is wrong with hours and instants', async (t) => {
  for (const text of ['00:00-24:00', '08:00-23:59', '23:00-01:00', '00:00-00:01']) {
    t.equal(dailyProblem(text), undefined, text)
  }
  for (const text of [
    '',
    '8:00-9:00',
    '08:00',
    '08:00-24:01',
    '24:00-08:00',
    '08:60-09:00',
    '08:00 - 09:00',
  ]) {
    t.match(dailyProblem(text), /must be like/, text)
  }
  t.match(dailyProblem('08:00-08:00'), /must not end when it begins/)
  for (const text of ['2026-01-01T00:00:00Z', '2026-02-28T23:59:59.123+05:30', '2028-02-29T00:00Z']) {
    t.equal(instantProblem(text), undefined, text)
  }
  for (const text of [
    '',
    '2026-01-01',
    '2026-01-01T00:00:00',
    '2026-02-30T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T00:00:00+25:00',
    '1 Jan 2026',
  ]) {
    t.match(instantProblem(text), /must be a time/, text)
  }
})
