// A whole URL that an operator names, as clients ask for it: by a host of a property, or by the `/~property/` prefix on
// any. What it is inside its property, without any token.
import { normalisePath } from '../src/http/normal-path.ts'
import { splitPrefix } from '../src/property-index.ts'
import type { PropertyIndex } from '../src/property-index.ts'
import type { PropertyView } from './topology.ts'

export interface ContentUrl {
  readonly property: PropertyView
  /** Normalised. */
  readonly path: string
  /** From its `?`; '' when there is none. */
  readonly search: string
}

/** Or what is wrong with it, in words that follow what it is called. */
export function readContentUrl(
  text: string,
  properties: PropertyIndex<PropertyView>,
): ContentUrl | { readonly problem: string } {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    return { problem: 'must be a whole URL such as https://shows.example.com/ep1/main.m3u8' }
  }
  const url = new URL(text)
  const { propertyId, path } = splitPrefix(url.pathname)
  const property =
    propertyId === undefined ? properties.findByHost(url.host) : properties.findById(propertyId)
  if (property === undefined) {
    const named = propertyId === undefined ? `the host "${url.host}"` : `the id "${propertyId}"`
    return { problem: `no property of this cluster has ${named}` }
  }
  const normalised = normalisePath(path)
  if (normalised === null) return { problem: 'its path is not well formed' }
  return { property, path: normalised, search: url.search }
}
