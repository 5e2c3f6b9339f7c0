// The parameters of the steering listener's own routes: what `/.edgeward/route` is asked about, and which player of
// which playlist asks `/.edgeward/steering/<property>`. Values are percent-encoded bytes, decoded once.
import { percentDecoded } from '../src/http/percent.ts'
import { ROUTES_MAX, ROUTES_UNASKED } from './limits.ts'

export const ROUTE_PATH = '/.edgeward/route'
export const STEERING_PATH = '/.edgeward/steering/'

/** Says what is wrong, to the client. */
export interface BadParameter {
  readonly problem: string
}

export interface RouteParameters {
  /** Of an absolute URL; undefined for a path. */
  readonly scheme: 'http' | 'https' | undefined
  readonly host: string | undefined
  readonly path: string
  /** From its `?`. */
  readonly search: string
  readonly count: number
}

export interface SteeringParameters {
  /** The path of the main playlist; '/' where none is named. */
  readonly asset: string
  /** The edge that the playlist came from, whose pathway is `.`; '' when it is not said. */
  readonly from: string
  /** What the player plays now; `.` when it does not say. */
  readonly pathway: string
}

const ABSOLUTE = /^(https?):\/\/([^/?#@\\]+)(\/[^?#]*)?(\?[^#]*)?(?:#.*)?$/i
const PATH = /^(\/[^?#]*)(\?[^#]*)?(?:#.*)?$/
const COUNT = /^[1-9]$/

export function readRouteParameters(search: string): RouteParameters | BadParameter {
  const found = parametersOf(search)
  if ('problem' in found) return found
  const { values } = found
  const stray = [...values.keys()].find((name) => name !== 'url' && name !== 'count')
  // Mostly a URL whose own query was not encoded, and whose token would be lost.
  if (stray !== undefined)
    return { problem: 'only url and count may be given, and url must be percent-encoded' }
  const count = values.get('count')
  if (count !== undefined && !(COUNT.test(count) && Number(count) <= ROUTES_MAX))
    return { problem: `count must be 1 to ${ROUTES_MAX}` }
  const url = values.get('url')
  if (url === undefined || url === '') return { problem: 'url is missing: name what is to be played' }
  return readUrl(url, count === undefined ? ROUTES_UNASKED : Number(count))
}

function readUrl(url: string, count: number): RouteParameters | BadParameter {
  const absolute = ABSOLUTE.exec(url)
  // Two slashes in front would name a host, by no scheme.
  const relative = absolute !== null || url.startsWith('//') ? null : PATH.exec(url)
  const parts = absolute?.slice(3) ?? relative?.slice(1)
  if (parts === undefined)
    return { problem: 'url must be an absolute http or https URL without password, or a path from its /' }
  const [path = '/', search = ''] = parts
  const host = absolute?.[2]
  if (!isClean(`${host ?? ''}${path}${search}`)) return { problem: 'url must hold no spaces and no controls' }
  if (path.startsWith('/.edgeward/'))
    return { problem: 'url must name content, not a route of the scheduler' }
  const scheme = absolute?.[1]?.toLowerCase() === 'https' ? 'https' : 'http'
  return { scheme: absolute === null ? undefined : scheme, host, path, search, count }
}

export function readSteeringParameters(search: string): SteeringParameters | BadParameter {
  const found = parametersOf(search)
  if ('problem' in found) return found
  const asset = found.values.get('asset') ?? '/'
  if (!asset.startsWith('/') || asset.includes('?') || !isClean(asset))
    return { problem: 'asset must be a path from its /, without query' }
  // Some players quote it (RFC 8216bis §7.1), others do not.
  const pathway = (found.values.get('_HLS_pathway') ?? '.').replaceAll('"', '')
  return { asset, from: found.values.get('from') ?? '', pathway }
}

/** Of a name given twice the first counts. */
function parametersOf(search: string): { values: Map<string, string> } | BadParameter {
  const values = new Map<string, string>()
  for (const parameter of search.slice(1).split('&')) {
    if (parameter === '') continue
    const equals = parameter.indexOf('=')
    const end = equals < 0 ? parameter.length : equals
    const name = percentDecoded(parameter.slice(0, end))
    const value = percentDecoded(parameter.slice(end + 1))
    if (name === undefined || value === undefined)
      return { problem: 'the query holds a % without two hex digits behind it' }
    if (!values.has(name)) values.set(name, value)
  }
  return { values }
}

function isClean(text: string): boolean {
  return /^[\x21-\x7e\x80-\xff]*$/.test(text)
}
