// Names and static records of `scheduler.dns` as a person writes them, checked one by one.
import { z } from 'zod'
import { parseIp } from '../net/ip.ts'
import { NAME_CHARS_MAX, plainName } from './dns-names.ts'

/** Letters, digits, hyphens and, as services and validations have them, underscores. */
const LABEL = '(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)'
const DOMAIN = new RegExp(String.raw`^${LABEL}(?:\.${LABEL})*\.?$`)
const RECORD_NAME = new RegExp(String.raw`^(?:@|(?:\*\.)?${LABEL}(?:\.${LABEL})*\.?|\*)$`)

/** An address is none, though it has the form of one. */
function isDomain(text: string): boolean {
  return DOMAIN.test(text) && plainName(text).length <= NAME_CHARS_MAX && parseIp(text) === undefined
}

export const domainName = z
  .string()
  .refine(isDomain, 'must be a domain name such as cdn.example.com')
  .meta({ title: 'domain name', examples: ['cdn.example.com'] })
  .transform(plainName)

export const RECORD_TYPES = ['A', 'AAAA', 'CAA', 'CNAME', 'MX', 'NS', 'SRV', 'TXT'] as const

export type RecordType = (typeof RECORD_TYPES)[number]

/** Whose certificates a name may have, and where a refused request is told (RFC 8659 §4). */
export const CAA_TAGS = ['issue', 'issuewild', 'iodef'] as const

/** Flags, tag and value. */
export const CAA_DATA =
  /^(\d{1,2}|1\d\d|2[0-4]\d|25[0-5]) (issue|issuewild|iodef) "([\x20\x21\x23-\x7e]{0,255})"$/

/** What the data of each type must look like, in the words of an error. */
const DATA: Readonly<
  Record<RecordType, { readonly words: string; readonly fits: (data: string) => boolean }>
> = {
  A: { words: 'an IPv4 address', fits: (data) => parseIp(data)?.family === 4 },
  AAAA: { words: 'an IPv6 address', fits: (data) => parseIp(data)?.family === 6 && !data.includes('%') },
  CAA: {
    words: 'flags, tag and value such as 0 issue "letsencrypt.org"',
    fits: (data) => CAA_DATA.test(data),
  },
  CNAME: { words: 'a domain name', fits: isDomain },
  MX: {
    words: 'a preference and a name such as 10 mail.example.com',
    fits: (data) => fieldsFit(data, 1),
  },
  NS: { words: 'a domain name', fits: isDomain },
  SRV: {
    words: 'priority, weight, port and a name such as 0 5 443 host.example.com',
    fits: (data) => fieldsFit(data, 3),
  },
  TXT: {
    words: 'text of at most 4096 printable ASCII characters',
    fits: (data) => /^[\x20-\x7e]{1,4096}$/.test(data),
  },
}

/** So many 16-bit numbers, then a name. */
function fieldsFit(data: string, numbers: number): boolean {
  const fields = data.split(' ')
  const name = fields.pop() ?? ''
  return (
    fields.length === numbers &&
    fields.every((field) => /^\d{1,5}$/.test(field) && Number(field) < 65_536) &&
    isDomain(name)
  )
}

export const zoneRecordSchema = z
  .strictObject({
    name: z
      .string()
      .regex(
        RECORD_NAME,
        'must be `@`, or a name in the zone such as www or *.www; with a final dot it is whole',
      )
      .describe('`@` is the zone itself; without a final dot it is completed by `zone`.'),
    type: z.enum(RECORD_TYPES).describe('Kind of the record.'),
    data: z.string().describe('As in a zone file; names in it are whole with or without a final dot.'),
    ttl: z
      .number({
        error: ({ code, input }) =>
          code === 'invalid_type' && input !== null ? 'must be a number of seconds' : undefined,
      })
      .int()
      .min(1)
      .max(604_800)
      .optional()
      .meta({ title: 'seconds' })
      .describe('Lifetime in seconds. Left out: `ttl.static`.'),
  })
  .superRefine(({ type, data }, context) => {
    const { words, fits } = DATA[type]
    if (fits(data)) return
    context.addIssue({ code: 'custom', path: ['data'], message: `must be ${words} for ${type}`, input: data })
  })

export type ZoneRecordSettings = z.infer<typeof zoneRecordSchema>
