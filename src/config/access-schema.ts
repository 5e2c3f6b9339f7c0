// Who may have it: the access rules and tokens of a property, in the form of a file and in that of the wire.
import { z } from 'zod'
import { dailyProblem, instantProblem } from '../access/time-window.ts'
import { webPatternProblem } from '../access/web-pattern.ts'
import { checkedNetwork, checkedText, country, pathPattern } from './access-values.ts'
import type { ScalarForm } from './scalar-form.ts'
import { tokensSchema } from './token-schema.ts'

const verdict = z.enum(['allow', 'deny'])

const status = z
  .number()
  .int()
  .min(400)
  .max(499)
  .optional()
  .describe('HTTP status of the refusal, 400 to 499. Default: 403.')

const networks = z.array(checkedNetwork).optional()
const asns = z.array(z.number().int().min(1).max(4_294_967_295)).optional()
const countries = z.array(country).optional()

const referers = z
  .array(
    checkedText((text) => webPatternProblem(text, 'referer')).meta({
      title: 'page pattern',
      examples: ['*.example.com', 'https://tv.example.com/app/*'],
    }),
  )
  .optional()

const origins = z
  .array(
    checkedText((text) => webPatternProblem(text, 'origin')).meta({
      title: 'origin pattern',
      examples: ['https://tv.example.com', 'null'],
    }),
  )
  .optional()

const agents = z
  .array(
    z
      .string()
      .min(1)
      .max(256)
      .meta({ title: 'glob', examples: ['*VLC*'] }),
  )
  .optional()

const methods = z
  .array(z.string().regex(/^[A-Z][A-Z-]{1,23}$/, 'must be a method in capitals, such as POST'))
  .optional()

const instant = checkedText(instantProblem)
  .meta({ title: 'time', examples: ['2026-01-01T00:00:00Z'] })
  .optional()

const hoursSchema = z.strictObject({
  from: instant.describe('Not before this time (RFC 3339).'),
  until: instant.describe('Not from this time on.'),
  daily: z
    .array(checkedText(dailyProblem).meta({ title: 'hours', examples: ['08:00-23:00'] }))
    .optional()
    .describe('Hours of the day; a window that ends before it begins goes over midnight.'),
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .optional()
    .describe('Days of the week.'),
  zone: z
    .string()
    .refine(isTimeZone, 'must be a time zone such as Asia/Shanghai')
    .default('UTC')
    .describe('Time zone of `daily` and `days`.'),
})

/** A list of each side. */
function sides<T extends z.ZodType>(entries: T) {
  return z.strictObject({
    allow: entries.describe('Only these pass.'),
    deny: entries.describe('These are refused, whatever `allow` says.'),
    status,
  })
}

/** For those that have nothing to compare. */
function answer(whatIsMissing: string) {
  return verdict
    .optional()
    .describe(`${whatIsMissing} Default: \`deny\` where there is an \`allow\` list, else \`allow\`.`)
}

const conditions = z.strictObject({
  networks: networks.describe('Addresses of clients.'),
  countries: countries.describe('Countries of clients.'),
  asns: asns.describe('Networks of clients, by number.'),
  referers: referers.describe('Pages that link here.'),
  origins: origins.describe('Pages whose scripts ask.'),
  userAgents: agents.describe('Globs over User-Agent; case does not matter.'),
  methods: methods.describe('Methods.'),
  paths: z.array(pathPattern).optional().describe('Globs over the path.'),
  hours: hoursSchema.optional().describe('Times.'),
})

const ruleSchema = z
  .strictObject({
    name: z.string().min(1).max(64).optional().describe('For the log and for `edgeward explain`.'),
    allow: conditions.optional().describe('Lets pass what meets all of these; `{}` is met by all.'),
    deny: conditions.optional().describe('Refuses what meets all of these.'),
    status,
  })
  .refine(
    (rule) => (rule.allow === undefined) !== (rule.deny === undefined),
    'must hold allow or deny, one of them',
  )

export function accessSchema(form: ScalarForm) {
  return z.strictObject({
    addresses: sides(networks).optional().describe('Addresses of clients, IPv4 and IPv6.'),
    countries: sides(countries)
      .extend({ unknown: answer('Clients whose country is not known.') })
      .optional()
      .describe('Countries of clients, by GeoIP.'),
    asns: sides(asns)
      .extend({ unknown: answer('Clients whose network is not known.') })
      .optional()
      .describe('Networks of clients, by GeoIP.'),
    referer: sides(referers)
      .extend({ empty: answer('Requests without Referer.') })
      .optional()
      .describe('Pages that link here: `*.example.com`, or with scheme and path.'),
    origin: sides(origins)
      .extend({ empty: answer('Requests without Origin.') })
      .optional()
      .describe(
        'Pages whose scripts ask. `null` is the opaque origin, which no other pattern matches: browsers send it from sandboxes, and for every page once a redirect has led from one origin to another.',
      ),
    userAgents: sides(agents)
      .extend({ empty: answer('Requests without User-Agent.') })
      .optional()
      .describe('Globs over User-Agent; case does not matter.'),
    hours: hoursSchema.extend({ status }).optional().describe('When content may be had.'),
    rules: z
      .array(ruleSchema)
      .max(1000)
      .optional()
      .describe(
        'In order; the first that a request meets decides. Where there are rules and it meets none, it is refused.',
      ),
    tokens: tokensSchema(form)
      .optional()
      .describe('Signed URLs: which ones, and how what they grant reaches segments.'),
    keys: z
      .strictObject({
        match: z.array(pathPattern).min(1).describe('Globs over the path.'),
      })
      .optional()
      .describe('Decryption keys of HLS: served only with a valid token, never stored on disk.'),
  })
}

function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }) instanceof Intl.DateTimeFormat
  } catch {
    return false
  }
}

export type AccessSettings = z.infer<ReturnType<typeof accessSchema>>
