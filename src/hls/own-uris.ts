// Which absolute URIs lead into a property: those of its origins, below their base paths, and those of its own hosts.

export interface OwnUris {
  /** An absolute URI's path and query inside the property; undefined when it leads elsewhere. */
  ownPath(uri: string): string | undefined
  /** The same for a root-relative URI of a playlist from an origin with a base path. */
  withoutBase(path: string): string | undefined
}

/** `origins` are base URLs; `hosts` are names, `*.name` patterns, or `*`, which names none. */
export function compileOwnUris(origins: readonly string[], hosts: readonly string[]): OwnUris {
  const bases = new Map<string, string[]>()
  for (const origin of origins) {
    const url = new URL(origin)
    const base = url.pathname.replace(/\/+$/, '')
    const known = bases.get(url.host) ?? []
    if (!known.includes(base)) bases.set(url.host, [...known, base])
  }
  const paths = [...bases.values()].flat().filter((base) => base !== '')
  const exact = new Set(hosts.filter((host) => !host.includes('*')))
  const suffixes = hosts.filter((host) => host.startsWith('*.')).map((host) => host.slice(1))
  const isOwnHost = (host: string) => exact.has(host) || suffixes.some((suffix) => host.endsWith(suffix))
  /** Of the last authority asked for: a playlist's absolute URIs mostly share one. */
  let last: { root: string; bases: readonly string[] } = { root: '', bases: [] }
  const basesOf = (root: string): readonly string[] => {
    if (root === last.root) return last.bases
    const host = hostOf(root)
    const found = host === undefined ? [] : [...(bases.get(host) ?? []), ...(isOwnHost(host) ? [''] : [])]
    last = { root, bases: found }
    return found
  }
  return {
    ownPath(uri) {
      const rootEnd = endOfAuthority(uri)
      for (const base of basesOf(uri.slice(0, rootEnd))) {
        const rest = uri.slice(rootEnd)
        const inside = below(base, rest.startsWith('/') ? rest : `/${rest}`)
        if (inside !== undefined) return inside
      }
      return undefined
    },
    withoutBase(path) {
      for (const base of paths) {
        const inside = below(base, path)
        if (inside !== undefined) return inside
      }
      return undefined
    },
  }
}

/** Where the path begins in `scheme://authority/path`. */
function endOfAuthority(uri: string): number {
  const slash = uri.indexOf('/', 'https://'.length)
  const end = slash < 0 ? uri.length : slash
  const mark = /[?#]/.exec(uri.slice(0, end))
  return mark === null ? end : mark.index
}

/** Of `scheme://host:port`: in lower case, without the port that the scheme has anyway. */
function hostOf(root: string): string | undefined {
  const match = /^(https?):\/\/([^/?#@\\]+)$/i.exec(root)
  if (match === null) return undefined
  const host = (match[2] ?? '').toLowerCase()
  const port = match[1]?.toLowerCase() === 'https' ? ':443' : ':80'
  return host.endsWith(port) ? host.slice(0, -port.length) : host
}

function below(base: string, path: string): string | undefined {
  if (!path.startsWith(base)) return undefined
  const rest = path.slice(base.length)
  if (base === '' || rest.startsWith('/')) return rest
  return rest === '' || rest.startsWith('?') || rest.startsWith('#') ? `/${rest}` : undefined
}
