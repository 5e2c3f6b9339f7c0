// `scheduler.redis`: where the registry is that several schedulers share. A URL, or keys for Sentinel, Cluster and
// whatever a URL cannot say. Passwords come from `${NAME}` or `${file:PATH}`; no message quotes any of it.
import { z } from 'zod'
import { fileName } from './file-values.ts'
import { listenAddress } from './values.ts'

const URL_WORDS = 'must be a redis:// or rediss:// URL'

const url = z
  .string()
  .regex(/^rediss?:\/\//, URL_WORDS)
  .refine(isRedisUrl, `${URL_WORDS} of a host, and no more than user, password, port and database`)
  .meta({ title: 'redis URL', examples: ['redis://127.0.0.1:6379'] })

const server = listenAddress.refine(({ port }) => port > 0, 'must have a port from 1 to 65535')

const secret = z.string().min(1).max(512)

const keys = z
  .strictObject({
    url: url.optional().describe('One server; `rediss://` is TLS, a path such as `/2` the database.'),
    sentinels: z.array(server).min(1).max(32).optional().describe('Sentinels to ask who is the primary.'),
    name: z.string().min(1).max(128).optional().describe('With `sentinels`: their name of the primary.'),
    cluster: z.array(server).min(1).max(64).optional().describe('Some nodes of a Redis Cluster.'),
    username: z.string().min(1).max(128).optional().describe('ACL user. Left out: the default one.'),
    password: secret.optional().describe('Of Redis; here it needs no escapes as it does in a URL.'),
    sentinelPassword: secret.optional().describe('Of the sentinels. Left out: they ask for none.'),
    tls: z.boolean().optional().describe('TLS to every server, sentinels included. Left out: by the URL.'),
    ca: fileName
      .optional()
      .describe('PEM: who signs the certificates of the servers. Left out: the usual authorities.'),
  })
  .superRefine((settings, context) => {
    const problem = (path: string[], message: string) =>
      context.addIssue({ code: 'custom', path, message, input: undefined })
    const ways = [settings.url, settings.sentinels, settings.cluster].filter((way) => way !== undefined)
    if (ways.length !== 1) problem([], 'needs one of url, sentinels and cluster')
    if (settings.sentinels === undefined) {
      if (settings.name !== undefined) problem(['name'], 'belongs to sentinels')
      if (settings.sentinelPassword !== undefined) problem(['sentinelPassword'], 'belongs to sentinels')
    } else if (settings.name === undefined)
      problem(['name'], 'is missing: what the sentinels call the primary')
    // One that is none has its own problem.
    const given = URL.parse(settings.url ?? '') ?? undefined
    if (given?.protocol === 'rediss:' && settings.tls === false) problem(['tls'], 'contradicts rediss://')
    if (given !== undefined && given.password !== '' && settings.password !== undefined) {
      problem(['password'], 'stands in the URL too')
    }
    const secure = settings.tls === true || given?.protocol === 'rediss:'
    if (settings.ca !== undefined && !secure) problem(['ca'], 'needs tls: true or a rediss:// URL')
  })

export const redisSchema = z.union([url, keys], {
  error: `${URL_WORDS}, or hold one of url, sentinels and cluster`,
})

export type RedisSettings = z.infer<typeof redisSchema>
export type RedisKeys = z.infer<typeof keys>

function isRedisUrl(value: string): boolean {
  if (!URL.canParse(value)) return false
  const { hostname, pathname, search, hash, username, password } = new URL(value)
  const decodes = [username, password].every((part) => {
    try {
      return decodeURIComponent(part) !== undefined
    } catch {
      return false
    }
  })
  return hostname !== '' && /^(?:\/\d{0,4})?$/.test(pathname) && search === '' && hash === '' && decodes
}
