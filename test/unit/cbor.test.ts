// CBOR: the examples of RFC 8949 appendix A, and what the decoder refuses.
import t from 'tap'
import { decodeCbor, encodeCbor } from '../../src/token/cbor.ts'
import type { Cbor } from '../../src/token/cbor.ts'

const bytes = (hex: string) => Buffer.from(hex, 'hex')

/** RFC 8949 appendix A; `again` where the shortest form is another. */
const EXAMPLES: [hex: string, value: Cbor, again?: string][] = [
  ['00', 0],
  ['17', 23],
  ['1818', 24],
  ['1903e8', 1000],
  ['1a000f4240', 1_000_000],
  ['1b000000e8d4a51000', 1_000_000_000_000],
  ['20', -1],
  ['3863', -100],
  ['3903e7', -1000],
  ['f90000', 0, '00'],
  ['f93c00', 1, '01'],
  ['f93e00', 1.5, 'fb3ff8000000000000'],
  ['f97bff', 65_504, '19ffe0'],
  ['f90001', 5.960464477539063e-8, 'fb3e70000000000000'],
  ['f9c400', -4, '23'],
  ['fa47c35000', 100_000, '1a000186a0'],
  ['fb3ff199999999999a', 1.1],
  ['f97c00', Number.POSITIVE_INFINITY, 'fb7ff0000000000000'],
  ['f4', false],
  ['f5', true],
  ['f6', null],
  ['c11a514b67b0', { tag: 1, value: 1_363_896_240 }],
  ['d82076687474703a2f2f7777772e6578616d706c652e636f6d', { tag: 32, value: 'http://www.example.com' }],
  ['40', Buffer.alloc(0)],
  ['4401020304', Buffer.of(1, 2, 3, 4)],
  ['60', ''],
  ['6449455446', 'IETF'],
  ['62225c', '"\\'],
  ['62c3bc', 'ü'],
  ['63e6b0b4', '水'],
  ['64f0908591', '𐅑'],
  ['80', []],
  ['8301820203820405', [1, [2, 3], [4, 5]]],
  ['98190102030405060708090a0b0c0d0e0f101112131415161718181819', Array.from({ length: 25 }, (_, i) => i + 1)],
  ['a0', new Map()],
  [
    'a201020304',
    new Map([
      [1, 2],
      [3, 4],
    ]),
  ],
  [
    'a26161016162820203',
    new Map<string, Cbor>([
      ['a', 1],
      ['b', [2, 3]],
    ]),
  ],
  ['826161a161626163', ['a', new Map([['b', 'c']])]],
  // Longer than it needs to be, which is well formed.
  ['1817', 23, '17'],
  ['b90001616101', new Map([['a', 1]]), 'a1616101'],
]

for (const [hex, value, again = hex] of EXAMPLES)
  t.test(hex, async (t) => {
    t.same(decodeCbor(bytes(hex)), value)
    t.equal(encodeCbor(value).toString('hex'), again)
  })

const REFUSED: [what: string, hex: string][] = [
  ['nothing', ''],
  ['cut off', '1903'],
  ['a text that is cut off', '6449'],
  ['an array that is cut off', '8301'],
  ['a length beyond all memory', '5bffffffffffffffff'],
  ['an array of 2^32 items', '9affffffff00'],
  ['more than one item', '0000'],
  ['an integer beyond 2^53', '1b0020000000000000'],
  ['a negative integer beyond 2^53', '3bffffffffffffffff'],
  ['an indefinite text', '7f6161ff'],
  ['an indefinite array', '9fff'],
  ['a break', 'ff'],
  ['a reserved length', '1c'],
  ['undefined', 'f7'],
  ['a simple value', 'f0'],
  ['text that is not UTF-8', '62c328'],
  ['a key twice', 'a2010101f5'],
  ['a key twice, and another in its place', 'a2010101020203'],
  ['a key twice, as a float', 'a20101f93c00f5'],
  ['a key of bytes', 'a1410101'],
  ['a key that is an array', 'a1800101'],
  ['too deep', `${'81'.repeat(13)}00`],
  ['too many items', `990500${'00'.repeat(0x500)}`],
]

for (const [what, hex] of REFUSED)
  t.test(`refused: ${what}`, async (t) => t.equal(decodeCbor(bytes(hex)), undefined))
