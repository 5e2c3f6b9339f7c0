// When content may be had: from one instant until another, and within them at hours of the day and days of the week
// of a time zone. Local time is asked of Intl once a minute at most; in between a judgement compares two numbers.
// Clocks that go back repeat an hour and clocks that go forward skip one: the wall clock is what counts.
import { DAYS } from './rule-settings.ts'
import type { HoursSettings } from './rule-settings.ts'

export interface TimeWindow {
  includes(nowMs: number): boolean
  /** What is compared, for people. */
  describe(nowMs: number): string
}

const MINUTE_MS = 60_000
const DAY_MINUTES = 1440

/** Minutes of the day. */
interface Daily {
  readonly start: number
  /** Exclusive; less than `start` when it goes over midnight. */
  readonly end: number
}

const DAILY = /^([01]\d|2[0-3]):([0-5]\d)-(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/

/** What is wrong with `08:00-23:00`, in words that complete "it …"; undefined when nothing is. */
export function dailyProblem(text: string): string | undefined {
  const daily = readDaily(text)
  return typeof daily === 'string' ? daily : undefined
}

/** What is wrong with an instant; RFC 3339 with an offset, so that it means the same everywhere. */
export function instantProblem(text: string): string | undefined {
  return readInstant(text) === undefined
    ? 'must be a time such as 2026-01-01T00:00:00Z or …+08:00'
    : undefined
}

/** Throws an Error that names the key under `key` when the settings cannot be used. */
export function compileHours(settings: HoursSettings, key: string): TimeWindow {
  const instant = (name: 'from' | 'until', absent: number) => {
    const text = settings[name]
    if (text === undefined) return absent
    const ms = readInstant(text)
    if (ms === undefined) throw new Error(`${key}.${name} ${instantProblem(text)}`)
    return ms
  }
  const fromMs = instant('from', -Infinity)
  const untilMs = instant('until', Infinity)
  const isLocal = settings.daily !== undefined || settings.days !== undefined
  const local = isLocal ? compileLocal(settings, key) : null
  return {
    includes: (nowMs) =>
      nowMs >= fromMs && nowMs < untilMs && (local === null || local.includes(Math.floor(nowMs / MINUTE_MS))),
    describe(nowMs) {
      if (nowMs < fromMs) return `${isoOf(nowMs)} is before ${settings.from ?? ''}`
      if (nowMs >= untilMs) return `${isoOf(nowMs)} is not before ${settings.until ?? ''}`
      if (local === null) return `${isoOf(nowMs)} is within from and until`
      const verb = local.includes(Math.floor(nowMs / MINUTE_MS)) ? 'is within' : 'is outside'
      return `${local.nameOf(nowMs)} ${verb} ${wordsOf(settings)}`
    },
  }
}

interface LocalWindow {
  includes(minute: number): boolean
  nameOf(nowMs: number): string
}

function compileLocal(settings: HoursSettings, key: string): LocalWindow {
  const zone = settings.zone ?? 'UTC'
  const dailies = settings.daily?.map((text, i) => {
    const daily = readDaily(text)
    if (typeof daily === 'string') throw new Error(`${key}.daily[${i}] ${daily}`)
    return daily
  }) ?? [{ start: 0, end: DAY_MINUTES }]
  const days = DAYS.map((day) => settings.days?.includes(day) ?? true)
  const clock = localClock(zone, key)
  let judgedMinute = Number.NaN
  let judged = false
  return {
    includes(minute) {
      if (minute === judgedMinute) return judged
      const { day, minuteOfDay } = clock(minute * MINUTE_MS)
      judged = dailies.some((daily) => isWithin(daily, days, day, minuteOfDay))
      judgedMinute = minute
      return judged
    },
    nameOf(nowMs) {
      const { day, minuteOfDay } = clock(nowMs)
      return `${DAYS[day] ?? ''} ${twoDigits(Math.floor(minuteOfDay / 60))}:${twoDigits(minuteOfDay % 60)} in ${zone}`
    },
  }
}

/** `days` says of each day whether a window may begin on it. */
function isWithin({ start, end }: Daily, days: readonly boolean[], day: number, minute: number): boolean {
  const today = days[day] === true
  if (start < end) return today && minute >= start && minute < end
  const yesterday = days[(day + 6) % 7] === true
  return (today && minute >= start) || (yesterday && minute < end)
}

/** Day of the week, 0 for Monday, and minute of the day, there. */
function localClock(zone: string, key: string): (ms: number) => { day: number; minuteOfDay: number } {
  const format = formatIn(zone, key)
  return (ms) => {
    const parts = format.formatToParts(ms)
    const partOf = (type: string) => parts.find((part) => part.type === type)?.value ?? ''
    const weekday = partOf('weekday').toLowerCase()
    return {
      day: DAYS.findIndex((day) => day === weekday),
      minuteOfDay: Number(partOf('hour')) * 60 + Number(partOf('minute')),
    }
  }
}

function formatIn(timeZone: string, key: string): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-US', {
      timeZone,
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
    })
  } catch (cause) {
    throw new Error(`${key}.zone must be a time zone such as Asia/Shanghai`, { cause })
  }
}

function readDaily(text: string): Daily | string {
  const match = DAILY.exec(text)
  if (match === null) return 'must be like 08:00-23:30, up to 24:00'
  const [, startHour, startMinute, endHour = '24', endMinute = '0'] = match
  const start = Number(startHour) * 60 + Number(startMinute)
  const end = Number(endHour) * 60 + Number(endMinute)
  return start === end ? 'must not end when it begins; the whole day is 00:00-24:00' : { start, end }
}

const INSTANT =
  /^\d{4}-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

function readInstant(text: string): number | undefined {
  const match = INSTANT.exec(text)
  const ms = match === null ? Number.NaN : Date.parse(text)
  if (match === null || Number.isNaN(ms)) return undefined
  // Date.parse takes the 30th of February for the 2nd of March.
  const midnight = new Date(Date.parse(`${text.slice(0, 10)}T00:00:00Z`))
  return midnight.getUTCDate() === Number(match[2]) ? ms : undefined
}

function wordsOf({ daily, days }: HoursSettings): string {
  return [days?.join(' '), daily?.join(', ')].filter((words) => words !== undefined).join(' ')
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z')
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0')
}
