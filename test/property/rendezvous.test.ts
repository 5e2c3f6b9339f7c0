// Weighted rendezvous hashing: stable, fair by weight, and the same for everyone.
import fc from 'fast-check'
import t from 'tap'
import { hash64, hash64OfBytes, hash64OfJoined, rankByRendezvous, scoreOf } from '../../src/rendezvous.ts'

interface Node {
  id: string
  weight: number
}

const KEYS = 4000

function choose(key: string, nodes: readonly Node[]): string | undefined {
  const hashed = nodes.map(({ id, weight }) => ({ id, weight, hash: hash64(id) }))
  return rankByRendezvous(hash64(key), hashed, ({ weight }) => weight)[0]?.id
}

function placement(nodes: readonly Node[], salt: string): (string | undefined)[] {
  return Array.from({ length: KEYS }, (_, i) => choose(`${salt}/shows/season-${i}/`, nodes))
}

const nodesOf = (min: number, max: number, weights: fc.Arbitrary<number>) =>
  fc
    .uniqueArray(fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/), { minLength: min, maxLength: max })
    .chain((ids) => fc.tuple(...ids.map((id) => weights.map((weight) => ({ id, weight })))))

const equal = fc.constant(1e9)
const anyWeight = fc.integer({ min: 1, max: 20 }).map((n) => n * 1e9)

t.test('adding an edge moves keys only to it, about its share of them', async () => {
  fc.assert(
    fc.property(nodesOf(3, 12, equal), fc.string(), (nodes, salt) => {
      const before = placement(nodes.slice(1), salt)
      const after = placement(nodes, salt)
      const moved = after.filter((id, i) => id !== before[i])
      const share = 1 / nodes.length
      return moved.every((id) => id === nodes[0]?.id) && near(moved.length / KEYS, share)
    }),
    { numRuns: 40 },
  )
})

t.test('removing an edge moves only the keys that it held', async () => {
  fc.assert(
    fc.property(nodesOf(3, 12, anyWeight), fc.string(), (nodes, salt) => {
      const before = placement(nodes, salt)
      const after = placement(nodes.slice(1), salt)
      return after.every((id, i) => id === before[i] || before[i] === nodes[0]?.id)
    }),
    { numRuns: 40 },
  )
})

t.test('shares follow the weights', async () => {
  fc.assert(
    fc.property(nodesOf(2, 8, anyWeight), fc.string(), (nodes, salt) => {
      const total = nodes.reduce((sum, node) => sum + node.weight, 0)
      const placed = placement(nodes, salt)
      return nodes.every((node) =>
        near(placed.filter((id) => id === node.id).length / KEYS, node.weight / total),
      )
    }),
    { numRuns: 60 },
  )
})

t.test('a raised weight only draws keys to its edge', async () => {
  fc.assert(
    fc.property(nodesOf(2, 8, anyWeight), fc.string(), (nodes, salt) => {
      const raised = nodes.map((node, i) => (i === 0 ? { ...node, weight: node.weight * 2 } : node))
      const before = placement(nodes, salt)
      return placement(raised, salt).every((id, i) => id === before[i] || id === nodes[0]?.id)
    }),
    { numRuns: 30 },
  )
})

t.test('the order of the input does not matter', async () => {
  const shuffled = nodesOf(1, 10, anyWeight).chain((nodes) =>
    fc.tuple(fc.constant(nodes), fc.shuffledSubarray([...nodes], { minLength: nodes.length })),
  )
  fc.assert(
    fc.property(shuffled, fc.string(), ([nodes, other], key) => choose(key, nodes) === choose(key, other)),
  )
})

t.test('the first of a ranking has the highest score, and every node is in it once', async () => {
  fc.assert(
    fc.property(nodesOf(1, 10, anyWeight), fc.string(), (nodes, key) => {
      const hashed = nodes.map((node) => ({ ...node, hash: hash64(node.id) }))
      const ranked = rankByRendezvous(hash64(key), hashed, (node) => node.weight)
      const scores = ranked.map(({ hash, weight }) => scoreOf(hash64(key), hash, weight))
      return scores[0] === Math.max(...scores) && new Set(ranked).size === nodes.length
    }),
  )
})

t.test('the answer is the same on every machine and in every version', async (t) => {
  // A change of these moves every asset of every cluster to another edge: never by accident.
  const nodes = ['gz-1', 'gz-2', 'gz-3', 'gz-4'].map((id) => ({ id, weight: 1e9 }))
  t.same(hash64('shows/a/'), { hi: 2023613110, lo: -632449781 })
  t.same(
    ['shows/a/', 'shows/b/', 'shows/c/', 'movies/a/'].map((key) => choose(key, nodes)),
    ['gz-2', 'gz-4', 'gz-2', 'gz-4'],
  )
})

t.test('keys that differ in one character land independently', async (t) => {
  const nodes = Array.from({ length: 10 }, (_, i) => ({ id: `edge-${i}`, weight: 1 }))
  const same = Array.from({ length: KEYS }, (_, i) => i).filter(
    (i) => choose(`shows/${i}/`, nodes) === choose(`shows/${i + 1}/`, nodes),
  )
  t.ok(near(same.length / KEYS, 0.1), `${same.length} of ${KEYS}`)
})

t.test('no nodes, no choice', async (t) => {
  t.equal(choose('key', []), undefined)
})

/** Within five standard deviations of what KEYS independent draws give. */
function near(share: number, expected: number): boolean {
  return Math.abs(share - expected) < 5 * Math.sqrt((expected * (1 - expected)) / KEYS)
}

t.test('bytes hash as the text that they are, wherever they stand', async () => {
  const latin = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((unit) => String.fromCharCode(unit)) })
  fc.assert(
    fc.property(latin, latin, latin, latin, (front, before, text, behind) => {
      const bytes = Buffer.from(before + text + behind, 'latin1')
      const start = before.length
      const end = start + text.length
      const { hi, lo } = hash64OfBytes(Buffer.from(front, 'latin1'), bytes, start, end)
      const joined = hash64OfJoined(front, text + behind, text.length)
      const whole = hash64(front + text)
      return hi === joined.hi && lo === joined.lo && hi === whole.hi && lo === whole.lo
    }),
  )
})
