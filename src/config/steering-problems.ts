// What is wrong with how clients are sent to edges, of settings that are well formed one by one: ids and URLs that the
// redirect's form cannot use, and Content Steering that cannot work.
import { parseIp } from '../net/ip.ts'
import type { ConfigProblem } from './config-error.ts'
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'
import type { SchedulerSettings } from './scheduler-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

interface Found {
  at: KeyPath
  message: string
}

export function steeringProblems(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const byHost = settings.scheduler.steering.redirect === 'host'
  return located([...(byHost ? hostFormProblems(settings) : []), ...announcementProblems(settings)], document)
}

/** Content Steering changes the host name of a URL and nothing else (RFC 8216bis §7.2). */
export function steeringWarnings(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const { edges, properties } = settings
  if (edges.length < 2 || properties.every(({ contentSteering }) => contentSteering === undefined)) return []
  const others = Map.groupBy(edges, ({ url }) => besidesHost(url))
  const alone = edges.flatMap(({ url }, i): Found[] => {
    const besides = besidesHost(url)
    if (besides !== null && (others.get(besides)?.length ?? 0) > 1) return []
    const message =
      'Content Steering moves no player here or away: it changes the host name alone, and no other edge has this scheme and port without a path'
    return [{ at: ['edges', i, 'url'], message }]
  })
  return located(alone, document)
}

function hostFormProblems({ properties, edges }: SchedulerSettings): Found[] {
  const where = 'while scheduler.steering.redirect is `host`'
  const ids = properties.flatMap(({ id }, i): Found[] => {
    if (DNS_LABEL.test(id)) return []
    const message = `must be a DNS label, at most 63 of a-z, 0-9 and "-", ${where}`
    return [{ at: ['properties', i, 'id'], message }]
  })
  const urls = edges.flatMap(({ url }, i): Found[] => {
    const { hostname, pathname } = new URL(url)
    const at = ['edges', i, 'url']
    if (parseIp(hostname.replace(/^\[|\]$/g, '')) !== undefined)
      return [{ at, message: `must have a host name, not an address, ${where}` }]
    return pathname === '/' ? [] : [{ at, message: `must have no path ${where}` }]
  })
  return [...ids, ...urls]
}

function announcementProblems({ properties, scheduler }: SchedulerSettings): Found[] {
  return properties.flatMap(({ contentSteering, access }, i): Found[] => {
    if (contentSteering === undefined) return []
    const at = ['properties', i, 'contentSteering']
    const found: Found[] = []
    if (scheduler.steering.publicUrl === undefined)
      found.push({ at, message: 'needs scheduler.steering.publicUrl: playlists name it to players' })
    if (access.tokens?.carry === 'cookie') {
      const message = 'cannot go with `carry: cookie`: cookies do not follow a player to another host'
      found.push({ at, message })
    }
    return found
  })
}

/** RFC 1123 §2.1. */
const DNS_LABEL = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/

/** null where a path is part of it. */
function besidesHost(url: string): string | null {
  const { protocol, port, pathname } = new URL(url)
  return pathname === '/' ? `${protocol}${port}` : null
}

function located(found: readonly Found[], document: ConfigDocument): ConfigProblem[] {
  return found.map(({ at, message }) => ({ path: formatKeyPath(at), line: document.lineOf(at), message }))
}
