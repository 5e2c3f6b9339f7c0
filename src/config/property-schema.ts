// Properties: the part that edgeward.yaml and a standalone edge.yaml share.
import { z } from 'zod'
import { accessSchema } from './access-schema.ts'
import { callbackSchema, eventsSchema } from './callback-schema.ts'
import { limitsSchema } from './limits-schema.ts'
import { ORIGIN_CHOICES, failoverSchema } from './origin-schema.ts'
import { IN_FILE } from './scalar-form.ts'
import { duration, identifier } from './values.ts'

const hostPattern = z
  .string()
  .regex(
    /^(?:\*|(?:\*\.)?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])$/,
    'must be a host name in lower case without port, *.name for those below it, or * for any',
  )
  .meta({ title: 'host pattern', examples: ['shows.example.com', '*.example.com'] })

/** What origins of media may need, and no cache is poisoned with. */
export const FORWARDED_BY_DEFAULT = ['Accept', 'Accept-Language', 'Authorization', 'User-Agent'] as const

const cacheRuleSchema = z.strictObject({
  match: z
    .string()
    .min(1)
    .max(256)
    .meta({ title: 'path pattern', examples: ['*.m4s', '/live/**'] })
    .describe('Glob over the path: `*.m4s` matches the last segment, `/live/**` the whole path.'),
  ttl: duration.describe('Freshness lifetime for matching objects, whatever the origin says.'),
})

/** One of the origins that a property pulls from. */
export const originUseSchema = z.strictObject({
  id: identifier.describe('An id from `origins`.'),
  weight: z
    .number()
    .min(0)
    .max(100)
    .default(1)
    .describe('Its share where `originChoice` is `weight` or `hash`; 0: only when no other serves.'),
  backup: z.boolean().default(false).describe('Asked only when all others have failed.'),
})

export const propertySchema = z.strictObject({
  id: identifier.describe('Name of the property; `/~id/` in front of a path selects it.'),
  hosts: z.array(hostPattern).default([]).describe('Host names that select this property.'),
  origins: z.array(originUseSchema).min(1).describe('Where content comes from, in order of preference.'),
  originChoice: z
    .enum(ORIGIN_CHOICES)
    .default('order')
    .describe(
      'Which of them is asked first: by `order`, by chance according to `weight`, or by `hash` of the object, so that each origin is asked for its share of them.',
    ),
  failover: failoverSchema(IN_FILE).prefault({}).describe('When another upstream is asked.'),
  cache: z
    .strictObject({
      defaultTtl: duration.prefault('0s').describe('Freshness lifetime where the origin states none.'),
      setCookie: z
        .enum(['pass', 'keep'])
        .default('pass')
        .describe(
          'Answers with Set-Cookie: `pass` keeps them for nobody else, `keep` stores them like any other.',
        ),
      staleIfError: duration
        .prefault('1d')
        .describe(
          'How long past its lifetime an object may be served when no upstream answers, unless the origin says otherwise.',
        ),
      rules: z.array(cacheRuleSchema).prefault([]).describe('First match wins.'),
    })
    .prefault({})
    .describe('How long content is fresh.'),
  forward: z
    .union([
      z.literal('all'),
      z.array(z.string().regex(/^[A-Za-z0-9-]{1,64}$/, 'must be a field name such as Accept-Language')),
    ])
    .default([...FORWARDED_BY_DEFAULT])
    .describe(
      'Request fields that go to the origin with a request whose answer may be cached; `all` for every end-to-end field. A field that the origin heeds but does not name in Vary lets one client choose what all others get.',
    ),
  methods: z
    .array(z.string().regex(/^[A-Z][A-Z-]{1,23}$/, 'must be a method in capitals, such as POST'))
    .default(['GET', 'HEAD', 'OPTIONS'])
    .describe(
      'Methods that are served; any other than GET, HEAD and OPTIONS is passed through to the origin.',
    ),
  cors: z
    .strictObject({
      origins: z
        .array(
          z
            .string()
            .min(1)
            .meta({ title: 'web origin', examples: ['https://player.example.com'] }),
        )
        .default(['*'])
        .describe('Web origins whose pages may play this; `*` for any, an empty list for none.'),
    })
    .prefault({})
    .describe('Cross-origin access for players in browsers.'),
  playlists: z
    .strictObject({
      hosts: z
        .array(hostPattern)
        .default([])
        .describe(
          'Hosts besides the property’s own and its origins’ that playlists name this content by: such URIs are rewritten to stay at the edge.',
        ),
      compress: z
        .boolean()
        .default(true)
        .describe('Playlists go out as gzip or brotli to clients that take it.'),
    })
    .prefault({})
    .describe('HLS playlists.'),
  prefetch: z
    .strictObject({
      segments: z
        .number()
        .int()
        .min(0)
        .max(16)
        .default(0)
        .describe('Segments fetched ahead of a player, within the rendition that it plays; 0: none.'),
    })
    .prefault({})
    .describe('Fetching before anyone asks.'),
  access: accessSchema(IN_FILE)
    .prefault({})
    .describe('Who may have it. Lists are judged in the order they stand here, then the token.'),
  limits: limitsSchema(IN_FILE),
  callback: callbackSchema(IN_FILE).optional().describe('A hook that authorises each session.'),
  events: eventsSchema().optional().describe('Where sessions and denials are told.'),
})

export type PropertySettings = z.infer<typeof propertySchema>
