// The world that is steered: a hundred sites in real cities, a thousand edges, as the settings of a scheduler. Sites
// are sized for the people around them, some generously and some not.
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import type { SchedulerSettings } from '../../src/config/scheduler-schema.ts'
import { edgeEntry, schedulerSettings } from '../kit/scheduler.ts'
import { between, chanceOf, pick } from './chance.ts'

const citiesSchema = z.array(
  z.strictObject({
    id: z.string(),
    country: z.string(),
    lat: z.number(),
    lon: z.number(),
    /** Of the city and around it, in millions. */
    people: z.number().positive(),
  }),
)

export interface CityInFile extends Place {
  readonly index: number
}

type Place = z.infer<typeof citiesSchema>[number]

export interface City extends CityInFile {
  /** Its part of all sessions. */
  readonly share: number
  /** European: may serve the property `regional`. */
  readonly regional: boolean
}

export interface World {
  readonly cities: readonly City[]
  readonly settings: SchedulerSettings
}

export const EDGES_PER_SITE = 10
/** Bandwidth of a site's edges against their mean. */
const SIZES = [0.5, 0.75, 1, 1, 1, 1, 1, 1, 1.25, 1.5]
/** Of a site's edges while as many watch as on the mean of the day. */
const UTILISATION = { from: 0.38, to: 0.58 }
const IPV4_ONLY_SHARE = 0.08
/** Sites whose coverage names countries, networks and numbers of networks. */
const DECLARING = { FI: 'helsinki', LK: 'colombo', MU: 'port-louis' } as const
export const COVERED_NETWORKS: Readonly<Record<string, readonly string[]>> = {
  paris: ['80.0.0.0/12', '2a01:e00::/26'],
  amsterdam: ['80.8.0.0/13'],
  guangzhou: ['113.64.0.0/10', '240e::/20'],
}
export const COVERED_ASNS: Readonly<Record<string, readonly number[]>> = {
  dallas: [64_601],
  chicago: [64_602, 64_603],
  seattle: [64_603],
}
/** One edge stands in an ISP's network and serves nobody else. */
export const PINNED = { site: 'frankfurt', edge: 'frankfurt-9', networks: ['87.128.0.0/10', '2003::/19'] }
export const DEFAULT_SITE = 'ashburn'

export function readCities(): readonly CityInFile[] {
  const file = new URL('cities.json', import.meta.url)
  const read = citiesSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  return read.map((city, index) => Object.assign(city, { index }))
}

/** `bits`: a second that all sessions together take, on the mean. */
export function makeWorld(seed: number, inFile: readonly CityInFile[], bits: number): World {
  const random = chanceOf(seed, 'world')
  // The largest city has sixty times the people of the smallest, and eight times the sessions.
  const total = inFile.reduce((sum, { people }) => sum + Math.sqrt(people), 0)
  const cities = inFile.map((city) =>
    Object.assign({}, city, { share: Math.sqrt(city.people) / total, regional: isEuropean(city) }),
  )
  const edges = cities.flatMap(({ id, share }) => {
    const meanBandwidth = (bits * share) / between(random, UTILISATION.from, UTILISATION.to) / EDGES_PER_SITE
    return SIZES.map((size, i) => {
      const megabits = Math.round((meanBandwidth * size) / 1e6)
      const ipv4Only = i > 0 && random() < IPV4_ONLY_SHARE
      const edge = `${id}-${i}`
      return edgeEntry(edge, id, {
        capacity: {
          bandwidth: `${megabits}Mbit`,
          connections: Math.ceil(megabits / pick(random, [2, 2.5, 3])),
        },
        addresses: ipv4Only ? ['192.0.2.1'] : ['192.0.2.1', '2001:db8::1'],
        capabilities: i < 7 ? ['tls', 'uhd'] : ['tls'],
        ...(edge === PINNED.edge && { pinned: PINNED.networks }),
      })
    })
  })
  const settings = schedulerSettings({
    defaultSite: DEFAULT_SITE,
    sites: cities.map(({ id, lat, lon }) => ({ id, location: { lat, lon }, coverage: coverageOf(id) })),
    edges,
    properties: [
      property('live'),
      property('shows'),
      property('uhd', { capabilities: ['uhd'] }),
      property('regional', { sites: cities.filter(({ regional }) => regional).map(({ id }) => id) }),
    ],
  })
  return { cities, settings }
}

export function declaredCountries(): ReadonlyMap<string, string> {
  return new Map(Object.entries(DECLARING))
}

function coverageOf(site: string): Record<string, unknown> {
  const countries = [...declaredCountries()].filter(([, id]) => id === site).map(([country]) => country)
  return { networks: COVERED_NETWORKS[site] ?? [], asns: COVERED_ASNS[site] ?? [], countries }
}

function isEuropean({ lat, lon }: { lat: number; lon: number }): boolean {
  return lat > 36 && lon > -12 && lon < 27
}

function property(id: string, over: Record<string, unknown> = {}): Record<string, unknown> {
  return { id, hosts: [`${id}.example.com`], origins: [{ id: 'studio' }], ...over }
}
