// Which sites may fill a site, by what the configuration says.
import type { SiteSettings } from './scheduler-schema.ts'

/** In order of preference where they are named, else in the order of the file: who is nearest is for the caller to say. */
export function parentIdsOf({ parents }: SiteSettings, sites: readonly SiteSettings[]): readonly string[] {
  return parents === 'nearest' ? sites.filter(({ fills }) => fills).map(({ id }) => id) : parents
}
