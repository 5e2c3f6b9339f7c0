// A fetch that no client asked for: on behalf of nobody, so that only what tells where it has been goes along.
import { headerOf } from '../fill/fetch.ts'
import type { FetchTarget } from '../fill/fetch.ts'
import type { Property } from '../property/property-table.ts'

/** `path`: with its query, as it goes upstream. `cdnLoop`: of the request that led to it. */
export function aheadTarget(
  property: Property,
  { key, path }: { key: string; path: string },
  cdnLoop?: string,
): FetchTarget {
  const question = path.indexOf('?')
  const fields = cdnLoop === undefined ? [] : ['CDN-Loop', cdnLoop]
  return {
    primaryKey: key,
    key,
    path,
    chain: property.chain,
    rule: property.ruleFor(question < 0 ? path : path.slice(0, question)),
    fields,
    header: headerOf(fields),
    askedAs: null,
    authorised: false,
    onInterim: null,
  }
}
