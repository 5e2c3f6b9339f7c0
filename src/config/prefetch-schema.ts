// What a property keeps warm: content that its sites fetch again and again, before anybody asks for it.
import { z } from 'zod'
import { prefetchWindow, renditions } from './prefetch-values.ts'
import { duration, identifier, rate } from './values.ts'

/** Of one entry; a longer list is a prefetch of its own. */
const WARM_PATHS_MAX = 1000

const warmPath = z
  .string()
  .max(4096)
  .regex(/^\/[^\s#]*$/, 'must be a path inside the property, such as /ep1/main.m3u8')
  .meta({ title: 'path', examples: ['/ep1/main.m3u8'] })

/** A timer waits for it, and each turn asks the origin for what is no longer fresh. */
const every = duration
  .refine((ms) => ms >= 1000, 'must be at least 1s')
  .refine((ms) => ms <= 7 * 86_400_000, 'must be at most 7d')

export const warmSchema = z.strictObject({
  paths: z
    .array(warmPath)
    .min(1)
    .max(WARM_PATHS_MAX)
    .describe('What: paths inside the property; of a playlist, all that it names.'),
  renditions: renditions
    .prefault('all')
    .describe(
      'Which renditions of main playlists: `all`, `highest`, `lowest`, or those up to a height or a bit rate.',
    ),
  sites: z
    .array(identifier)
    .default([])
    .describe('Where; ids from `sites`. Left out: every site that may serve the property.'),
  every: every.prefault('1h').describe('How often it is looked at: what is still fresh costs nothing.'),
  rate: rate.optional().describe('What all edges together may fetch of it. Left out: as fast as they can.'),
  window: prefetchWindow
    .optional()
    .describe('Hours of the day in which it is fetched, of UTC or a time zone. Left out: at any time.'),
})

export type WarmSettings = z.infer<typeof warmSchema>
