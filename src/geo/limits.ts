// Bounds of GeoIP, and what happens when each is reached.

/** How often the files are looked at. */
export const PLACES_POLL_MS = 10_000
/** What was read of so many records of one file is remembered, 32 bytes each; one takes the place of another. */
export const RECORDS_REMEMBERED_MAX = 131_072
