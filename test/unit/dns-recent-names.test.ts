// Names found by their octets: whatever was asked before, and whichever share a place, each is its own text.
import t from 'tap'
import { RECENT_NAMES } from '../../scheduler/dns/limits.ts'
import { RecentNames } from '../../scheduler/dns/message/recent-names.ts'
import { wire } from '../kit/dns-bytes.ts'

t.test('more names than there are places for, asked in turns', (t) => {
  const names = new RecentNames()
  const asked = Array.from({ length: 4 * RECENT_NAMES }, (_, i) => wire(`n${i}.example.com`))
  const wrong = [...asked, ...asked.toReversed()].filter((name) => {
    const octets = Buffer.from(`${name}and what was there before`, 'latin1')
    return names.nameOf(octets, name.length) !== name || names.nameOf(octets, name.length) !== name
  })
  t.strictSame(wrong, [])
  t.end()
})

t.test('any octets', (t) => {
  const names = new RecentNames()
  for (const text of ['\0', '\x01\xff\0', '\x01\x80\0', '\x02\0\0\0', '']) {
    const octets = Buffer.from(text, 'latin1')
    t.equal(names.nameOf(octets, octets.length), text)
    t.equal(names.nameOf(octets, octets.length), text, 'again')
  }
  t.end()
})
