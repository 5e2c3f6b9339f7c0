// Bounds of GeoIP, and what happens when each is reached.

/** What was read from so many records of one file is remembered, about 170 bytes each; then it starts afresh. */
export const RECORDS_REMEMBERED_MAX = 32_768
/** How often the files are looked at. */
export const PLACES_POLL_MS = 10_000
