// The table of numbers by network: what it finds was kept, the last ones are found, and more than it holds push out the first.
import t from 'tap'
import { NetworkNumbers } from '../../scheduler/locate/network-numbers.ts'

const MAX = 2 ** 10

t.test('networks that were kept are found with their numbers, others are not', async (t) => {
  const numbers = new NetworkNumbers(MAX)
  // A quarter of the table: now and then more than four meet in one set.
  const networks = Array.from({ length: MAX / 4 }, (_, i) => i * 256)
  for (const network of networks) numbers.keep(network, network + 7)
  const found = networks.filter((network) => numbers.find(network) !== 0)
  t.ok(found.length > 0.9 * networks.length, `${found.length} of ${networks.length}`)
  t.ok(found.every((network) => numbers.find(network) === network + 7))
  t.ok(networks.every((network) => numbers.find(network + 1) === 0))
  t.equal(numbers.find(0xffff_ffff), 0)
})

t.test('the fifth of a set pushes out the first, and nothing else', async (t) => {
  const [first = 0, ...others] = ofOneSet(5)
  const numbers = new NetworkNumbers(MAX)
  numbers.keep(first, 1)
  for (const [i, network] of others.entries()) {
    t.equal(numbers.find(first), 1)
    numbers.keep(network, i + 2)
  }
  t.same(
    [first, ...others].map((network) => numbers.find(network)),
    [0, 2, 3, 4, 5],
  )
})

/** Networks that share a set: each pushes out a first one when four of them follow it. */
function ofOneSet(count: number): number[] {
  const found = [1]
  for (let network = 2; found.length < count; network++) {
    const numbers = new NetworkNumbers(MAX)
    numbers.keep(1, 1)
    for (let i = 0; i < 4; i++) numbers.keep(network, 2)
    if (numbers.find(1) === 0) found.push(network)
  }
  return found
}

t.test('the highest network and number', async (t) => {
  const numbers = new NetworkNumbers(MAX)
  numbers.keep(0xffff_ffff, 0xffff_ffff)
  t.equal(numbers.find(0xffff_ffff), 0xffff_ffff)
})
