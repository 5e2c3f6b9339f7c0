// Which coding a client is sent, by RFC 9110 §12.5.3.
import t from 'tap'
import { chooseCoding } from '../../src/http/accept-encoding.ts'

const CASES: [string | undefined, ReturnType<typeof chooseCoding>][] = [
  [undefined, 'identity'],
  ['', 'identity'],
  ['gzip', 'gzip'],
  ['GZIP', 'gzip'],
  ['x-gzip', 'gzip'],
  ['br', 'br'],
  ['gzip, deflate, br', 'br'],
  ['gzip, deflate, br, zstd', 'br'],
  ['deflate', 'identity'],
  ['gzip;q=1, br;q=0.5', 'gzip'],
  ['gzip; q=0.5 , br ;q=0.5', 'br'],
  ['gzip;q=0', 'identity'],
  ['gzip;q=0.001', 'gzip'],
  ['br;q=0, gzip;q=0.1', 'gzip'],
  ['identity;q=0.9, gzip;q=0.5', 'identity'],
  ['identity;q=0.5, gzip;q=0.5', 'gzip'],
  ['identity', 'identity'],
  ['*', 'br'],
  ['*;q=0', 'identity'],
  ['*;q=0, gzip', 'gzip'],
  ['br;q=0, *', 'gzip'],
  ['identity;q=0', 'identity'],
  ['gzip;q=2', 'identity'],
  ['gzip;q=nonsense', 'identity'],
  ['gzip;level=1', 'identity'],
  [',,;;=,gzip', 'gzip'],
  [`${'a,'.repeat(100)}gzip`, 'identity'],
]

for (const [field, coding] of CASES) {
  t.test(`${field?.slice(0, 40)} → ${coding}`, async (t) => {
    t.equal(chooseCoding(field), coding)
  })
}
