// What counts as one client address when connections are capped.
import t from 'tap'
import { AddressCounts, addressKey } from '../../src/listener/address-counts.ts'

t.test('IPv4 and its mapped form are one address; IPv6 is one by /64', async (t) => {
  t.equal(addressKey('::ffff:192.0.2.1'), addressKey('192.0.2.1'))
  t.equal(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:2:ffff:ffff:ffff:ffff'))
  t.equal(addressKey('fe80::1%eth0'), addressKey('fe80::2%eth1'))
  t.not(addressKey('2001:db8:1:2::1'), addressKey('2001:db8:1:3::1'))
  t.not(addressKey('192.0.2.1'), addressKey('192.0.2.2'))
  t.not(addressKey('::ffff:192.0.2.1'), addressKey('::ffff:192.0.2.2'))
})

t.test('a cap holds for each address, and nothing is kept of those that have left', async (t) => {
  const counts = new AddressCounts(2)
  const first = counts.admit('2001:db8::1')
  const second = counts.admit('2001:db8::2')
  t.ok(first !== undefined && second !== undefined)
  t.equal(counts.admit('2001:db8::3'), undefined)
  const other = counts.admit('2001:db8:0:1::1')
  t.ok(other !== undefined)
  first?.()
  const third = counts.admit('2001:db8::3')
  t.ok(third !== undefined)
  for (const leave of [second, third, other]) leave?.()
  t.equal(counts.size, 0)
})
