// Where a client finds a property on an edge: below the `/~property` prefix of the edge's URL, or by the property's id
// as one more label in front of its host name.
import type { EdgeView, PropertyView } from './topology.ts'

export type RedirectForm = 'path' | 'host'

export interface EdgeAddress {
  /** A property's root on the edge is `front`, its id, `back`: joined for each redirect. */
  readonly front: string
  readonly back: string
  /** Scheme and port, for edges that differ in nothing but their host name; null where a path follows. */
  readonly besidesHost: string | null
}

/** `url` has no slash at the end. */
export function edgeAddressOf(url: string, form: RedirectForm): EdgeAddress {
  const { protocol, port, pathname } = new URL(url)
  const besidesHost = pathname === '/' ? `${protocol}${port}` : null
  if (form === 'path') return { front: `${url}/~`, back: '', besidesHost }
  const host = url.indexOf('//') + 2
  return { front: url.slice(0, host), back: `.${url.slice(host)}`, besidesHost }
}

/** No slash at the end. */
export function rootOn({ address }: EdgeView, property: PropertyView): string {
  return address.front + property.id + address.back
}

/** Without port; IPv6 in brackets. */
export function hostnameOn(edge: EdgeView, property: PropertyView): string {
  return new URL(rootOn(edge, property)).hostname
}
