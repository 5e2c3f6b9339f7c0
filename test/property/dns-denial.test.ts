// The name after a name: whatever the name, nothing that could be asked for lies between the two. A mistake there would
// let a resolver deny a name that exists.
import fc from 'fast-check'
import t from 'tap'
import { nameAfter } from '../../scheduler/dns/dnssec/denial.ts'

const octet = fc.oneof(fc.constantFrom(0, 0x40, 0x5b, 0x61, 0xfe, 0xff), fc.integer({ min: 0, max: 255 }))
const label = fc
  .oneof(
    fc.array(octet, { minLength: 1, maxLength: 63 }),
    fc.array(octet, { minLength: 56, maxLength: 63 }),
    fc.integer({ min: 55, max: 63 }).map((length) => Array.from({ length }, () => 0xff)),
  )
  .map((octets) => Buffer.from(octets.map(lower)))
const zone = fc.array(label, { minLength: 1, maxLength: 4 }).filter(fits)
const inZone = fc
  .tuple(fc.array(label, { maxLength: 5 }), zone)
  .map(([below, apex]) => ({ name: [...below, ...apex], apex }))
  .filter(({ name }) => fits(name))

type Labels = readonly Buffer[]

function lower(value: number): number {
  return value >= 0x41 && value <= 0x5a ? value + 0x20 : value
}

function fits(labels: Labels): boolean {
  return labels.reduce((sum, { length }) => sum + 1 + length, 1) <= 255
}

function wire(labels: Labels): string {
  return Buffer.concat([
    ...labels.flatMap((part) => [Buffer.from([part.length]), part]),
    Buffer.alloc(1),
  ]).toString('latin1')
}

function labelsIn(name: string): Labels {
  const octets = Buffer.from(name, 'latin1')
  const labels: Buffer[] = []
  for (let at = 0; (octets[at] ?? 0) > 0; at += 1 + (octets[at] ?? 0)) {
    labels.push(octets.subarray(at + 1, at + 1 + (octets[at] ?? 0)))
  }
  return labels
}

/** RFC 4034 §6.1: from the last label on, each as octets; what ends first is first. */
function order(x: Labels, y: Labels): number {
  const [mine, theirs] = [x.toReversed(), y.toReversed()]
  for (const [i, part] of mine.entries()) {
    const other = theirs[i]
    if (other === undefined) return 1
    const compared = Buffer.compare(part, other)
    if (compared !== 0) return compared
  }
  return mine.length - theirs.length
}

function isIn(labels: Labels, apex: Labels): boolean {
  return labels.length >= apex.length && order(labels.slice(labels.length - apex.length), apex) === 0
}

/** Names close by: one label more, an octet more, less or other. */
function nearTo(name: Labels): Labels[] {
  const [first = Buffer.alloc(0), ...above] = name
  const last = first.at(-1) ?? 0
  const labels = [
    Buffer.concat([first, Buffer.from([0])]),
    Buffer.concat([first.subarray(0, -1), Buffer.from([lower(Math.min(last + 1, 255))])]),
    Buffer.concat([first.subarray(0, -1), Buffer.from([lower(Math.min(last + 1, 255)), 0])]),
    first.subarray(0, -1),
  ]
  const changed: Labels[] = []
  for (const part of labels) if (part.length > 0 && part.length <= 63) changed.push([part, ...above])
  return [
    [Buffer.from([0]), ...name],
    [Buffer.from([0]), Buffer.from([0]), ...name],
    ...changed,
    above,
  ].filter(fits)
}

t.test('nothing lies between a name and the one after it', async (t) => {
  fc.assert(
    fc.property(inZone, fc.array(label, { maxLength: 3 }), ({ name, apex }, others) => {
      const text = nameAfter(wire(name), wire(apex))
      const next = labelsIn(text)
      const isLast = text === wire(apex)
      const isValid = isIn(next, apex) && fits(next) && wire(next) === text
      const isAfter = isLast || order(name, next) < 0
      const near = [...nearTo(name), ...nearTo(next), ...nearTo(name.slice(1)), [...others, ...apex]]
      const between = near
        .filter((other) => fits(other) && isIn(other, apex))
        .filter((other) => order(name, other) < 0 && (isLast || order(other, next) < 0))
      return isValid && isAfter && between.length === 0
    }),
    { numRuns: 10_000 },
  )
  t.pass()
})
