// The room that a cache directory leaves, and which of several a slice belongs to.
import t from 'tap'
import { slackOf } from '../../edge/cache/disk/disk-space.ts'
import { spread } from '../../edge/cache/disk/disk-spread.ts'

const GIB = 2 ** 30

const place = (path: string, tebibytes: number, quarantined = false) => ({
  path,
  bytesMax: tebibytes * 2 ** 40,
  quarantined,
})

t.test('a twentieth of the file system is left free, or a GiB, or what is configured', async (t) => {
  const system = (totalGiB: number, freeGiB: number) => ({
    bsize: 4096,
    blocks: (totalGiB * GIB) / 4096,
    bavail: (freeGiB * GIB) / 4096,
  })
  t.equal(slackOf(system(10, 2), undefined), 1.5 * GIB)
  t.equal(slackOf(system(1000, 2), undefined), GIB)
  t.equal(slackOf(system(1000, 0.25), undefined), -0.75 * GIB)
  t.equal(slackOf(system(1000, 2), 3 * GIB), -GIB)
  t.equal(slackOf(system(1000, 2), 0), 2 * GIB)
})

t.test('slices go to directories by size, and stay when another one fails', async (t) => {
  const small = place('/a', 1)
  const large = place('/b', 3)
  const words = Array.from({ length: 20_000 }, (_, i) => Math.imul(i, 0x9e3779b1) >>> 0)
  const toLarge = words.filter((word) => spread(word, [small, large]) === large).length
  t.ok(Math.abs(toLarge / words.length - 0.75) < 0.02, `${toLarge} of ${words.length} to the larger`)

  const third = place('/c', 2)
  const broken = place('/c', 2, true)
  let moved = 0
  for (const word of words) {
    const before = spread(word, [small, large, third])
    const after = spread(word, [small, large, broken])
    if (before !== third && before !== after) moved++
    if (after === broken) moved++
  }
  t.equal(moved, 0)
  t.equal(spread(1, [broken]), undefined)
  t.equal(spread(1, []), undefined)
})
