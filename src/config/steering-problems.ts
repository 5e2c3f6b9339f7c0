// What is wrong with how clients are sent to edges, of settings that are well formed one by one: ids and URLs that the
// redirect's form cannot use, and Content Steering that cannot work.
import { parseIp } from '../net/ip.ts'
import type { ConfigProblem } from './config-error.ts'
import { HOST_LABEL_WORDS, isHostLabel } from './dns-names.ts'
import { located } from './finding.ts'
import type { Finding } from './finding.ts'
import type { SchedulerSettings } from './scheduler-schema.ts'
import type { ConfigDocument } from './yaml-file.ts'

export function steeringProblems(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const byHost = settings.scheduler.steering.redirect === 'host'
  return located([...(byHost ? hostFormProblems(settings) : []), ...announcementProblems(settings)], document)
}

/** Content Steering changes the host name of a URL and nothing else (RFC 8216bis §7.2). */
export function steeringWarnings(settings: SchedulerSettings, document: ConfigDocument): ConfigProblem[] {
  const { edges, properties } = settings
  if (edges.length < 2 || properties.every(({ contentSteering }) => contentSteering === undefined)) return []
  const others = Map.groupBy(edges, ({ url }) => besidesHost(url))
  const alone = edges.flatMap(({ url }, i): Finding[] => {
    const besides = besidesHost(url)
    if (besides !== null && (others.get(besides)?.length ?? 0) > 1) return []
    const message =
      'Content Steering moves no player here or away: it changes the host name alone, and no other edge has this scheme and port without a path'
    return [{ at: ['edges', i, 'url'], message }]
  })
  return located(alone, document)
}

function hostFormProblems({ properties, edges }: SchedulerSettings): Finding[] {
  const where = 'while scheduler.steering.redirect is `host`'
  const ids = properties.flatMap(({ id }, i): Finding[] => {
    if (isHostLabel(id)) return []
    const message = `must be ${HOST_LABEL_WORDS}, ${where}`
    return [{ at: ['properties', i, 'id'], message }]
  })
  const urls = edges.flatMap(({ url }, i): Finding[] => {
    const { hostname, pathname } = new URL(url)
    const at = ['edges', i, 'url']
    if (parseIp(hostname.replace(/^\[|\]$/g, '')) !== undefined)
      return [{ at, message: `must have a host name, not an address, ${where}` }]
    return pathname === '/' ? [] : [{ at, message: `must have no path ${where}` }]
  })
  return [...ids, ...urls]
}

function announcementProblems({ properties, scheduler }: SchedulerSettings): Finding[] {
  return properties.flatMap(({ contentSteering, access }, i): Finding[] => {
    if (contentSteering === undefined) return []
    const at = ['properties', i, 'contentSteering']
    const found: Finding[] = []
    if (scheduler.steering.publicUrl === undefined)
      found.push({ at, message: 'needs scheduler.steering.publicUrl: playlists name it to players' })
    if (access.tokens?.carry === 'cookie') {
      const message = 'cannot go with `carry: cookie`: cookies do not follow a player to another host'
      found.push({ at, message })
    }
    return found
  })
}

/** null where a path is part of it. */
function besidesHost(url: string): string | null {
  const { protocol, port, pathname } = new URL(url)
  return pathname === '/' ? `${protocol}${port}` : null
}
