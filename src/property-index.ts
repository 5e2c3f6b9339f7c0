// Which property a request asks for: by the `/~id/` prefix of its path, else by its Host (exact, then its id as first
// label where those are in use, then the longest `*.suffix`, then `*`). Port, case and a trailing dot of the Host do
// not matter.

export interface Hosted {
  readonly id: string
  readonly hosts: readonly string[]
}

export interface PropertyIndex<P extends Hosted> {
  findById(id: string): P | undefined
  findByHost(host: string): P | undefined
}

export interface PrefixedPath {
  /** The id after `/~`; undefined when the path carries none. */
  readonly propertyId: string | undefined
  /** The path without the prefix, from its `/`. */
  readonly path: string
}

/** By each host as it is configured; of two properties that name one host the first stands. */
export function propertiesByHost<P extends Hosted>(properties: readonly P[]): ReadonlyMap<string, P> {
  const byHost = new Map<string, P>()
  for (const property of properties) {
    for (const host of property.hosts) if (!byHost.has(host)) byHost.set(host, property)
  }
  return byHost
}

/** `labels`: redirects put the property's id in front of an edge's host name. */
export function buildPropertyIndex<P extends Hosted>(
  properties: readonly P[],
  labels = false,
): PropertyIndex<P> {
  const byId = new Map(properties.map((property) => [property.id, property]))
  const byHost = propertiesByHost(properties)
  return {
    findById: (id) => byId.get(id),
    findByHost(hostField) {
      // Mostly it is written as the configuration writes it: nothing has to be taken off, and no text made.
      const asWritten = byHost.get(hostField)
      if (asWritten !== undefined) return asWritten
      const host = hostNameOf(hostField)
      const exact = byHost.get(host)
      if (exact !== undefined) return exact
      const labelled = labels ? byId.get(firstLabel(host)) : undefined
      if (labelled !== undefined) return labelled
      for (let dot = host.indexOf('.'); dot >= 0; dot = host.indexOf('.', dot + 1)) {
        const suffix = byHost.get(`*${host.slice(dot)}`)
        if (suffix !== undefined) return suffix
      }
      return byHost.get('*')
    },
  }
}

/** '' where nothing stands behind it: a name of one label is nobody's edge. */
function firstLabel(host: string): string {
  const dot = host.indexOf('.')
  return dot < 0 || dot === host.length - 1 ? '' : host.slice(0, dot)
}

/** The Host field without port, in lower case; IPv6 literals keep their brackets. */
export function hostNameOf(hostField: string): string {
  const bracket = hostField.startsWith('[') ? hostField.indexOf(']') : -1
  const colon = hostField.indexOf(':', bracket + 1)
  const name = (colon < 0 ? hostField : hostField.slice(0, colon)).toLowerCase()
  return name.endsWith('.') ? name.slice(0, -1) : name
}

/** The target names its property itself, rather than by Host. */
export function isPrefixed(path: string): boolean {
  return path.startsWith('/~') && !path.startsWith('/~~')
}

/** Takes `/~id` off the front of a path; `/~id` alone asks for `/`. `/~~` begins a grant, not an id. */
export function splitPrefix(path: string): PrefixedPath {
  if (!isPrefixed(path)) return { propertyId: undefined, path }
  const question = path.indexOf('?')
  const end = question < 0 ? path.length : question
  const slash = path.indexOf('/', 2)
  if (slash >= 0 && slash < end) return { propertyId: path.slice(2, slash), path: path.slice(slash) }
  return { propertyId: path.slice(2, end), path: `/${path.slice(end)}` }
}
