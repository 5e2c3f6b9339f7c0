// Times as type B writes them: `YYYYMMDDHHMM` in the zone of its vendor, which keeps one offset all year.
import { settingsError } from './signing.ts'

const OFFSET = /^([+-])(0\d|1[0-4]):([0-5]\d)$/
const MINUTES = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)$/

/** `+08:00` in milliseconds east of UTC. Throws `config_invalid` for anything else. */
export function zoneOffsetMs(text: string): number {
  const [, sign, hours, minutes] = OFFSET.exec(text) ?? []
  if (sign === undefined) throw settingsError('the zone offset of a token scheme is not like +08:00')
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

/** Milliseconds since the epoch; undefined for what no calendar has, such as the 30th of February. */
export function parseMinutes(text: string, offsetMs: number): number | undefined {
  const match = MINUTES.exec(text)
  if (match === null) return undefined
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = match.slice(1).map(Number)
  // Date.UTC takes years below 100 for the last century's.
  if (year < 1970) return undefined
  const timeMs = Date.UTC(year, month - 1, day, hour, minute)
  return written(timeMs) === text ? timeMs - offsetMs : undefined
}

/** Seconds are cut off. Throws a RangeError for a time that parseMinutes would not take. */
export function formatMinutes(timeMs: number, offsetMs: number): string {
  const text = written(timeMs + offsetMs)
  if (parseMinutes(text, offsetMs) === undefined) throw new RangeError('not a time that a token can hold')
  return text
}

function written(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 16).replaceAll(/[-T:]/g, '')
}
