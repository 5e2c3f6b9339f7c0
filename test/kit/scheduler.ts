// A scheduler's settings, reports and clock in a few words, for tests of the scheduler.
import type { Clock } from '../../src/clock.ts'
import { schedulerSchema } from '../../src/config/scheduler-schema.ts'
import type { SchedulerSettings } from '../../src/config/scheduler-schema.ts'
import { hashKey } from '../../src/key.ts'
import type { EdgeReport } from '../../src/wire/report.ts'
import type { SteerQuery } from '../../scheduler/query.ts'

/** A clock that stands still until it is moved. */
export class StillClock implements Clock {
  nowMs = 1_000_000

  now(): number {
    return this.nowMs
  }

  monotonic(): number {
    return this.nowMs
  }

  pass(ms: number): void {
    this.nowMs += ms
  }
}

/** The key of a test's edge; its hash is in the settings below. */
export function keyOf(edge: string): string {
  return `key-of-the-edge-${edge}`
}

/** `edgeward.yaml` as an object: what is given replaces the top-level keys of a small cluster in CN and DE. */
export function schedulerSettingsText(over: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    cluster: 'test',
    scheduler: {
      steering: { listen: '127.0.0.1:0' },
      control: { listen: '127.0.0.1:0' },
      admin: { listen: '127.0.0.1:0' },
    },
    sites: [
      {
        id: 'guangzhou',
        location: { lat: 23.13, lon: 113.26 },
        coverage: { networks: ['203.0.113.0/24', '2001:db8:c::/48'], countries: ['CN'] },
      },
      {
        id: 'frankfurt',
        location: { lat: 50.11, lon: 8.68 },
        coverage: { networks: ['198.51.100.0/24'], countries: ['DE'] },
      },
    ],
    edges: [edgeEntry('gz-1', 'guangzhou'), edgeEntry('gz-2', 'guangzhou'), edgeEntry('fra-1', 'frankfurt')],
    origins: [{ id: 'studio', url: 'http://127.0.0.1:9000' }],
    properties: [
      { id: 'shows', hosts: ['shows.example.com', '*.cdn.example.com'], origins: [{ id: 'studio' }] },
      {
        id: 'movies',
        hosts: ['movies.example.com'],
        origins: [{ id: 'studio' }],
        cors: { origins: ['https://player.example.com'] },
      },
    ],
    ...over,
  }
}

export function schedulerSettings(over: Record<string, unknown> = {}): SchedulerSettings {
  return schedulerSchema.parse(schedulerSettingsText(over))
}

export function edgeEntry(
  id: string,
  site: string,
  over: Record<string, unknown> = {},
): Record<string, unknown> {
  return { id, site, url: `http://${id}.edges.example.com`, keyHash: hashKey(keyOf(id)), ...over }
}

export function reportOf(id: string, over: Partial<EdgeReport> = {}): EdgeReport {
  return {
    id,
    instance: `process-of-${id}`,
    state: 'up',
    version: '0.1.0',
    configVersion: '',
    uptimeMs: 1000,
    connections: 0,
    requestRate: 0,
    sentBitRate: 0,
    hitRatio: null,
    memoryBytes: 0,
    diskBytes: 0,
    directories: [],
    properties: [],
    ...over,
  }
}

export function queryFor(over: Partial<SteerQuery> = {}): SteerQuery {
  return {
    method: 'GET',
    host: 'shows.example.com',
    path: '/a/b/main.m3u8',
    search: '',
    peer: '203.0.113.9',
    origin: undefined,
    requestedHeaders: undefined,
    secure: false,
    atMs: 0,
    header: () => undefined,
    ...over,
  }
}
