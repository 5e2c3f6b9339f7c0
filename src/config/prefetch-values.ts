// How a prefetch is asked for in words: which renditions, and when. Of the file's `warm`, of the query of
// POST /api/v1/prefetches and of `edgeward prefetch`, which all take the same texts.
import { z } from 'zod'
import { compileHours } from '../access/time-window.ts'
import { messageOf } from '../errors.ts'
import type { PrefetchWindow, Renditions } from '../wire/prefetch.ts'

const RENDITIONS_WORDS = 'all, highest, lowest, a height such as 720p or a bit rate such as 3Mbit'
const WINDOW_WORDS =
  'hours such as 01:00-05:00, with a time zone behind them where it is not UTC: 01:00-05:00 Asia/Shanghai'

const BIT_RATE = /^(\d{1,6}(?:\.\d{1,6})?)(bit|kbit|Mbit)$/
const UNIT_BITS: Readonly<Record<string, number>> = { bit: 1, kbit: 1e3, Mbit: 1e6 }

/** `720p`: those up to that height; `3Mbit`: those up to that BANDWIDTH. */
export const renditions = z
  .string()
  .meta({ title: 'renditions', examples: ['highest', '720p', '3Mbit'] })
  .transform((text, context): Renditions => {
    const read = readRenditions(text)
    if (read !== undefined) return read
    context.addIssue({ code: 'custom', message: `must be ${RENDITIONS_WORDS}` })
    return z.NEVER
  })

function readRenditions(text: string): Renditions | undefined {
  if (text === 'all' || text === 'highest' || text === 'lowest') return text
  const height = /^(\d{2,5})p$/.exec(text)?.[1]
  if (height !== undefined) return { heightMax: Number(height) }
  const [, number, unit] = BIT_RATE.exec(text) ?? []
  if (number === undefined || unit === undefined) return undefined
  const bits = Math.round(Number(number) * (UNIT_BITS[unit] ?? Number.NaN))
  return bits > 0 ? { bandwidthMax: bits } : undefined
}

const WINDOW = /^(\d\d:\d\d-\d\d:\d\d)(?: ?([A-Za-z+-][A-Za-z0-9_/+:-]{0,63}))?$/

/** Hours of the day; beyond midnight where the end is before the beginning. */
export const prefetchWindow = z
  .string()
  .meta({ title: 'hours and zone', examples: ['01:00-05:00', '01:00-05:00 Asia/Shanghai'] })
  .transform((text, context): PrefetchWindow => {
    const [, daily, zone = 'UTC'] = WINDOW.exec(text) ?? []
    const window = daily === undefined ? undefined : { daily, zone }
    const problem = window === undefined ? `must be ${WINDOW_WORDS}` : problemOf(window)
    if (window !== undefined && problem === undefined) return window
    context.addIssue({ code: 'custom', message: problem ?? '' })
    return z.NEVER
  })

function problemOf({ daily, zone }: PrefetchWindow): string | undefined {
  try {
    compileHours({ daily: [daily], zone }, 'window')
    return undefined
  } catch (error) {
    return messageOf(error).replace(/^window\.(?:daily\[0\]|zone) /, '')
  }
}

export function renditionsText(wanted: Renditions): string {
  if (typeof wanted === 'string') return wanted
  return 'heightMax' in wanted ? `${wanted.heightMax}p` : `${wanted.bandwidthMax / 1e6}Mbit`
}

export function windowText({ daily, zone }: PrefetchWindow): string {
  return `${daily} ${zone}`
}
