// Which directories a report names: the busiest of the last seconds, each by its cache key's path.
import t from 'tap'
import { BusyDirectories } from '../../edge/report/busy-directories.ts'
import { PropertyRates } from '../../edge/report/property-rates.ts'

/** Megabytes each second for so long; gives what is reported then. */
function sendFor(seconds: number, megabytes: Record<string, number>, busy = new BusyDirectories()) {
  let reported = busy.take(1000)
  for (let i = 0; i < seconds; i++) {
    for (const [path, size] of Object.entries(megabytes)) busy.note('shows', path, size * 1e6)
    reported = busy.take(1000)
  }
  return { reported, busy }
}

t.test('a steady rate is told as it is, the busiest first', async (t) => {
  const { reported } = sendFor(60, { '/live/v1/1.m4s': 1, '/live/v1/2.m4s': 2, '/film/main.mp4': 5, '/x': 1 })
  t.same(
    reported.map(({ property, path, bitRate }) => [property, path, Math.round(bitRate / 1e5) / 10]),
    [
      ['shows', '/film/', 40],
      ['shows', '/live/v1/', 24],
      ['shows', '/', 8],
    ],
  )
})

t.test('it fades in seconds', async (t) => {
  const { busy, reported } = sendFor(60, { '/a/1': 10 })
  t.ok(Math.abs((reported[0]?.bitRate ?? 0) - 80e6) < 1e3)
  const later = sendFor(10, { '/b/1': 1 }, busy).reported
  t.ok((later.find(({ path }) => path === '/a/')?.bitRate ?? 0) < 80e6 / 7)
  t.same(
    sendFor(60, { '/b/1': 1 }, busy).reported.map(({ path }) => path),
    ['/b/'],
    'and is not told any more',
  )
  t.same(sendFor(300, {}, busy).reported, [])
})

t.test('directories of two properties are two', async (t) => {
  const busy = new BusyDirectories()
  busy.note('shows', '/a/1', 1000)
  busy.note('movies', '/a/1', 1000)
  busy.note('show', 's/a/1', 1000)
  t.equal(busy.take(1000).length, 3)
})

t.test('a hot one is found among a hundred thousand cold ones', async (t) => {
  const busy = new BusyDirectories()
  const hot = ['/hot/1/', '/hot/2/', '/hot/3/', '/hot/4/']
  for (let i = 0; i < 100_000; i++) {
    busy.note('shows', `/catalogue/${i}/seg.ts`, 1e6)
    for (const directory of hot) if (i % 10 === 0) busy.note('shows', `${directory}seg.ts`, 1e6)
  }
  const reported = busy.take(1000)
  t.same(reported.map(({ path }) => path).toSorted(), hot)
  for (const { bitRate } of reported) t.ok(bitRate > 1e4 * 8e6 * 0.17, 'nothing was lost')
})

t.test('what is reported is bounded', async (t) => {
  const busy = new BusyDirectories()
  for (let i = 0; i < 60; i++) busy.note('shows', `/${i}/a`, 1000 + i)
  const reported = busy.take(1000)
  t.equal(reported.length, 32)
  t.equal(reported[0]?.path, '/59/')
  const deep = `/${'a/'.repeat(200)}`
  busy.note('shows', `${deep}seg.ts`, 1e9)
  t.equal(busy.take(1000)[0]?.path, deep.slice(0, 255), 'the part of a long one that fits')
  busy.note('shows', `/${'x'.repeat(300)}/seg.ts`, 1e12)
  t.equal(busy.take(1000)[0]?.path, '/')
})

t.test('bytes of properties are told since the last report', async (t) => {
  const sent: Record<string, number> = { shows: 5e6, movies: 0 }
  const rates = new PropertyRates((id) => sent[id] ?? 0)
  t.same(rates.take(['shows', 'movies', 'other'], 1000), [], 'what was sent before is not news')
  sent['shows'] = 6e6
  sent['movies'] = 4e6
  t.same(rates.take(['shows', 'movies', 'other'], 2000), [
    { id: 'movies', bitRate: 16e6 },
    { id: 'shows', bitRate: 4e6 },
  ])
  t.same(rates.take(['shows'], 1000), [])
})
