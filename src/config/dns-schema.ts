// `scheduler.dns`: the zones that the scheduler answers for, and how.
import { z } from 'zod'
import { domainName, zoneRecordSchema } from './dns-values.ts'
import { fileName } from './file-values.ts'
import { LISTEN_WORDS, ipAddress, listenAddress, network, off, wait } from './values.ts'

/** In whole seconds on the wire, and never 0: each client would ask for each request. */
const ttl = wait.refine((ms) => ms >= 1000 && ms % 1000 === 0, 'must be of whole seconds, at least 1s')

const rateLimitSchema = z.strictObject({
  rate: z
    .number()
    .min(1)
    .max(100_000)
    .default(20)
    .describe('Replies a second to one network (IPv4 /24, IPv6 /56), for each name.'),
  burst: z.number().min(1).max(1_000_000).default(100).describe('Replies at once after a pause.'),
  slip: z
    .number()
    .int()
    .min(0)
    .max(10)
    .default(2)
    .describe(
      'Of those over the rate every so manieth is truncated, so that real clients come over TCP, and the others are dropped; 0: all are dropped.',
    ),
  exempt: z.array(network).default([]).describe('Networks that are never limited.'),
})

export const dnsSchema = z.strictObject({
  listen: z
    .union([listenAddress, z.array(listenAddress).min(1).max(16)], {
      error: `must be ${LISTEN_WORDS}, or a list of them`,
    })
    .prefault('0.0.0.0:53')
    .describe('Public, UDP and TCP; several as a list, such as one a family.'),
  zone: domainName.describe(
    'The zone that this scheduler answers for. Every property has the name `ID.ZONE` in it.',
  ),
  zones: z
    .array(domainName)
    .default([])
    .describe('Further zones that were delegated here, such as the host of a property.'),
  nameservers: z.array(domainName).min(1).max(16).describe('NS records of the zones; the first is in SOA.'),
  hostmaster: domainName
    .optional()
    .describe('Mailbox in SOA, its `@` as a dot. Left out: `hostmaster` in the zone.'),
  ttl: z
    .strictObject({
      steered: ttl.prefault('20s').describe('Of the addresses of edges: how long a client keeps to them.'),
      static: ttl.prefault('300s').describe('Of all other records that name none of their own.'),
      negative: ttl.prefault('30s').describe('How long a name or type is known not to be there.'),
    })
    .prefault({})
    .describe('Lifetimes of answers.'),
  addresses: z
    .number()
    .int()
    .min(1)
    .max(8)
    .default(2)
    .describe('Addresses in one answer, at most; their order changes with each.'),
  records: z
    .array(zoneRecordSchema)
    .max(10_000)
    .default([])
    .describe('Static records: A, AAAA, CAA, CNAME, MX, NS of delegations, SRV, TXT.'),
  schedulers: z
    .strictObject({
      name: domainName.describe('A name in a zone.'),
      addresses: z.array(ipAddress).min(1).max(16).describe('The public addresses of this scheduler.'),
    })
    .optional()
    .describe('A name with the addresses of all schedulers that live. Left out: there is none.'),
  unready: z
    .enum(['servfail', 'refused'])
    .default('servfail')
    .describe('The answer for edges until the first reports are in: no edge is answered unchecked.'),
  clientSubnet: z
    .boolean()
    .default(true)
    .describe('Whether EDNS Client Subnet is gone by; `false`: the address of the resolver alone.'),
  cookieSecrets: z
    .array(z.string().regex(/^[0-9A-Fa-f]{32}$/, 'must be 32 hex digits'))
    .min(1)
    .max(4)
    .optional()
    .describe(
      'Secrets of DNS cookies, 32 hex digits each; the first makes, all are taken. Left out: one of this process.',
    ),
  rateLimit: z
    .union([off, rateLimitSchema])
    .prefault({})
    .describe('Bounds replies over UDP to clients without a cookie; `false`: none.'),
  nsid: z
    .string()
    .regex(/^[\x20-\x7e]{1,64}$/, 'must be 1 to 64 printable ASCII characters')
    .optional()
    .describe('What clients are told that ask which server answered (NSID). Left out: nothing.'),
  dnssec: z
    .strictObject({
      keys: z
        .array(fileName)
        .min(1)
        .max(8)
        .describe('`.private` files of `dnssec-keygen` for `zone`, their `.key` beside them.'),
    })
    .optional()
    .describe('Answers in `zone` are signed (ECDSA P-256). Left out: they are not.'),
  reusePort: z
    .boolean()
    .default(false)
    .describe(
      'Lets other schedulers of this machine listen on the same port; the kernel shares queries out.',
    ),
  udpBatches: z
    .boolean()
    .default(true)
    .describe(
      'Packets over UDP are taken and sent many a system call, by `node:ffi`, which Node calls experimental (Linux on x64 and arm64); `false`: one by one.',
    ),
})

export type DnsSettings = z.infer<typeof dnsSchema>
