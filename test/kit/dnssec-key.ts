// DNSSEC keys for tests, in the two files that BIND's dnssec-keygen writes, made without it.
import { createECDH } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'

export interface DnssecKeyFiles {
  /** `K….private`: what a configuration names. */
  private: string
  /** `K….key` */
  public: string
}

/** Of two keys with one tag a zone takes neither: one in 65536 tests would fail for it. */
const tagsInUse = new Set<number>()

/** Flags 257 sign the keys (and all else where nothing else does), 256 the rest of the zone. */
export async function makeDnssecKey(
  directory: string,
  zone: string,
  flags: 256 | 257 = 257,
): Promise<DnssecKeyFiles> {
  const curve = createECDH('prime256v1')
  const point = curve.generateKeys().subarray(1)
  const tag = dnskeyTag(Buffer.concat([Buffer.from([flags >> 8, flags & 0xff, 3, 13]), point]))
  if (tagsInUse.has(tag)) return makeDnssecKey(directory, zone, flags)
  tagsInUse.add(tag)
  const base = path.join(directory, `K${zone}.+013+${String(tag).padStart(5, '0')}`)
  const files = { private: `${base}.private`, public: `${base}.key` }
  const secret = Buffer.alloc(32)
  const scalar = curve.getPrivateKey()
  scalar.copy(secret, secret.length - scalar.length)
  const lines = ['Private-key-format: v1.3', 'Algorithm: 13 (ECDSAP256SHA256)']
  const text = [...lines, `PrivateKey: ${secret.toString('base64')}`, 'Created: 20260101000000', '']
  await writeFile(files.private, text.join('\n'), { mode: 0o600 })
  const published = `${zone}. IN DNSKEY ${flags} 3 13 ${point.toString('base64')}`
  await writeFile(files.public, `; made for a test\n${published}\n`)
  return files
}

/** RFC 4034 appendix B, as its C code has it. */
export function dnskeyTag(dnskey: Uint8Array): number {
  let sum = 0
  for (const [i, octet] of dnskey.entries()) sum += (i & 1) === 1 ? octet : octet << 8
  return (sum + ((sum >> 16) & 0xffff)) & 0xffff
}
