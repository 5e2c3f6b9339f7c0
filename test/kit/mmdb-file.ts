// Writes small MaxMind DB files (format 2.0), so that tests can say which address is where. IPv4 networks lie below
// ::/96 in them, as in the files that are sold.
import { writeFile } from 'node:fs/promises'
import { parseNetwork } from '../../src/net/ip.ts'
import type { IpNetwork } from '../../src/net/ip.ts'

export type MmdbValue =
  | string
  | number
  | boolean
  | readonly MmdbValue[]
  | { readonly [key: string]: MmdbValue }

type Branch = Node | Buffer | null

interface Node {
  sides: [Branch, Branch]
}

const MARKER = Buffer.from('abcdef4d61784d696e642e636f6d', 'hex')
const SEPARATOR_BYTES = 16

/** Bits a branch of the search tree takes. */
export type RecordSize = 24 | 28 | 32

/** `records`: network → record. Of nested networks the inner one counts. `type`: what some readers want a word of. */
export async function writeMmdb(
  file: string,
  records: Readonly<Record<string, MmdbValue>>,
  recordSize: RecordSize = 24,
  type = 'Edgeward-Test',
): Promise<void> {
  const entries = Object.entries(records).map(([text, value]) => {
    const network = parseNetwork(text)
    if (network === undefined) throw new Error(`${text} is no network`)
    return { bits: bitsOf(network), data: encoded(value) }
  })
  const root: Node = { sides: [null, null] }
  // Outer networks first: those inside them replace parts of them.
  for (const { bits, data } of entries.toSorted((x, y) => x.bits.length - y.bits.length))
    insert(root, bits, data)
  await writeFile(file, fileOf(root, recordSize, type))
}

/** Of the prefix, in the IPv6 tree. */
function bitsOf({ address, prefixLength }: IpNetwork): number[] {
  const words = [address.a, address.b, address.c, address.d]
  const bits = words.flatMap((word) => Array.from({ length: 32 }, (_, i) => (word >>> (31 - i)) & 1))
  return bits.slice(0, address.family === 4 ? 96 + prefixLength : prefixLength)
}

function insert(root: Node, bits: readonly number[], data: Buffer): void {
  let node = root
  for (const [i, bit] of bits.entries()) {
    const side = bit === 0 ? 0 : 1
    if (i === bits.length - 1) {
      node.sides[side] = data
      return
    }
    const next = node.sides[side]
    const inner: Node = next === null || Buffer.isBuffer(next) ? { sides: [next, next] } : next
    node.sides[side] = inner
    node = inner
  }
}

function fileOf(root: Node, recordSize: RecordSize, type: string): Buffer {
  const nodes: Node[] = []
  const numbers = new Map<Node, number>()
  const number = (node: Node) => {
    numbers.set(node, nodes.push(node) - 1)
    for (const side of node.sides) if (side !== null && !Buffer.isBuffer(side)) number(side)
  }
  number(root)
  const data: Buffer[] = []
  let dataBytes = 0
  const offsets = new Map<Buffer, number>()
  const recordOf = (branch: Branch): number => {
    if (branch === null) return nodes.length
    if (!Buffer.isBuffer(branch)) return numbers.get(branch) ?? 0
    const known = offsets.get(branch)
    const offset = known ?? dataBytes
    if (known === undefined) {
      offsets.set(branch, offset)
      data.push(branch)
      dataBytes += branch.length
    }
    return nodes.length + SEPARATOR_BYTES + offset
  }
  const nodeBytes = recordSize / 4
  const tree = Buffer.alloc(nodes.length * nodeBytes)
  for (const [i, { sides }] of nodes.entries()) {
    const [left, right] = [recordOf(sides[0]), recordOf(sides[1])]
    const at = i * nodeBytes
    if (recordSize === 28) {
      // The byte in the middle holds the first four bits of both.
      tree.writeUIntBE(left & 0xff_ffff, at, 3)
      tree[at + 3] = ((left >>> 24) << 4) | (right >>> 24)
      tree.writeUIntBE(right & 0xff_ffff, at + 4, 3)
    } else {
      tree.writeUIntBE(left, at, nodeBytes / 2)
      tree.writeUIntBE(right, at + nodeBytes / 2, nodeBytes / 2)
    }
  }
  // Some readers want each in the very type that the format gives it.
  const metadata = mapOf({
    binary_format_major_version: unsigned(TYPE.uint16, 2),
    binary_format_minor_version: unsigned(TYPE.uint16, 0),
    build_epoch: unsigned(TYPE.uint64, 1_767_225_600),
    database_type: encoded(type),
    description: encoded({ en: type }),
    ip_version: unsigned(TYPE.uint16, 6),
    languages: Buffer.concat([control(TYPE.array, 1), encoded('en')]),
    node_count: unsigned(TYPE.uint32, nodes.length),
    record_size: unsigned(TYPE.uint16, recordSize),
  })
  return Buffer.concat([tree, Buffer.alloc(SEPARATOR_BYTES), ...data, MARKER, metadata])
}

const TYPE = { text: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, array: 11, boolean: 14 } as const

function encoded(value: MmdbValue): Buffer {
  if (typeof value === 'string') {
    const text = Buffer.from(value)
    return Buffer.concat([control(TYPE.text, text.length), text])
  }
  if (typeof value === 'boolean') return control(TYPE.boolean, value ? 1 : 0)
  if (isList(value)) return Buffer.concat([control(TYPE.array, value.length), ...value.map(encoded)])
  if (typeof value !== 'number') {
    return mapOf(Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encoded(inner)])))
  }
  if (Number.isInteger(value) && value >= 0 && value < 2 ** 32) return unsigned(TYPE.uint32, value)
  const bytes = Buffer.alloc(8)
  bytes.writeDoubleBE(value)
  return Buffer.concat([control(TYPE.double, 8), bytes])
}

function isList(value: MmdbValue): value is readonly MmdbValue[] {
  return Array.isArray(value)
}

function mapOf(values: Readonly<Record<string, Buffer>>): Buffer {
  const pairs = Object.entries(values).flatMap(([key, inner]) => [encoded(key), inner])
  return Buffer.concat([control(TYPE.map, pairs.length / 2), ...pairs])
}

/** `value` has 32 bits at most. */
function unsigned(type: number, value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  const used = type === TYPE.uint16 ? bytes.subarray(2) : bytes
  return Buffer.concat([control(type, used.length), used])
}

/** Types above 7 take a byte of their own, and sizes from 29 one to three. */
function control(type: number, size: number): Buffer {
  const first = type > 7 ? 0 : type << 5
  const extended = type > 7 ? [type - 7] : []
  const [code, rest] = sizeBytes(size)
  return Buffer.from([first | code, ...extended, ...rest])
}

function sizeBytes(size: number): [code: number, rest: number[]] {
  if (size < 29) return [size, []]
  if (size < 285) return [29, [size - 29]]
  if (size < 65_821) return [30, [(size - 285) >>> 8, (size - 285) & 255]]
  const rest = size - 65_821
  return [31, [rest >>> 16, (rest >>> 8) & 255, rest & 255]]
}
