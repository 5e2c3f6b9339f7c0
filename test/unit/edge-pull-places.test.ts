// What place at its origin a pull has, and what becomes of it where that place is not free.
import t from 'tap'
import { Rig } from '../kit/pull-rig.ts'
import type { Shape } from '../kit/pull-rig.ts'

t.test('its place at the origin: a fill, one that waits, or one at its clients’ pace', async (t) => {
  const film = new Rig({ length: 1000 })
  const reader = film.pull.attach(0)
  let at = film.feed(0, 1000)
  t.strictSame([film.place, film.parkedAt, film.pull.pacedByClients], ['parked', [1], false])
  film.pull.slice(reader, 1)
  t.equal(film.place, 'filling')
  at = film.feed(at, 1000)
  t.strictSame([film.place, film.parkedAt], ['parked', [1, 2]])
  film.full = ['filling']
  film.pull.slice(reader, 2)
  t.strictSame([film.place, film.aborted], ['parked', false], 'goes on, though no place for a fill is free')

  const crowded = new Rig({ length: 1000 })
  crowded.full = ['parked']
  crowded.pull.attach(0)
  crowded.feed(0, 1000)
  t.strictSame(
    [crowded.aborted, crowded.events],
    [true, ['abandoned']],
    'its reader can ask for the rest again',
  )

  const noRanges = new Rig({ length: 1000, ranges: false })
  noRanges.full = ['parked', 'filling']
  noRanges.pull.attach(0)
  noRanges.feed(0, 1000)
  t.strictSame([noRanges.aborted, noRanges.parkedAt], [false, []], 'whose reader cannot')

  for (const [shape, paced] of [
    [{ length: 1000, ranges: false }, true],
    [{ length: 400, ranges: false }, false],
    [{ length: null }, false],
    [{ length: null, storable: false }, true],
    [{ length: 101, storable: false }, true],
    [{ length: 100, storable: false }, false],
  ] satisfies [Shape, boolean][]) {
    t.equal(new Rig(shape).pull.pacedByClients, paced, JSON.stringify(shape))
  }
})

t.test('length unknown and too long to keep: cut when no place for a slow answer is free', async (t) => {
  for (const full of [false, true]) {
    const rig = new Rig({ length: null })
    rig.full = full ? ['passing'] : []
    rig.pull.attach(0)
    rig.feed(0, 1000)
    t.equal(rig.aborted, full)
    t.strictSame(rig.events, full ? ['unstorable', 'failed: origin_busy'] : ['unstorable'])
  }
})
