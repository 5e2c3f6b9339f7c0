// HTTP dates (RFC 9110 §5.6.7): written as IMF-fixdate, read in all three forms.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const IMF = /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/
const RFC850 =
  /^(?:Sun|Mon|Tues|Wednes|Thurs|Fri|Satur)day, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/
const ASCTIME = /^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/

const two = (n: number) => (n < 10 ? `0${n}` : String(n))

/** Milliseconds since the epoch → `Sun, 06 Nov 1994 08:49:37 GMT`. */
export function formatHttpDate(ms: number): string {
  const d = new Date(ms)
  const day = `${DAYS[d.getUTCDay()]}, ${two(d.getUTCDate())} ${MONTHS[d.getUTCMonth()]} ${String(d.getUTCFullYear()).padStart(4, '0')}`
  return `${day} ${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())} GMT`
}

/** Milliseconds since the epoch, or undefined for anything that is not a date. `nowMs` settles two-digit years. */
export function parseHttpDate(text: string, nowMs: number): number | undefined {
  const imf = IMF.exec(text)
  if (imf !== null) return utc(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6])
  const old = RFC850.exec(text)
  if (old !== null) return utc(century(Number(old[3]), nowMs), old[2], old[1], old[4], old[5], old[6])
  const asctime = ASCTIME.exec(text)
  if (asctime !== null) return utc(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5])
  return undefined
}

/** RFC 9110 §5.6.7: a two-digit year more than 50 years ahead is in the past. */
function century(year: number, nowMs: number): string {
  const now = new Date(nowMs).getUTCFullYear()
  const full = now - (now % 100) + year
  return String(full > now + 50 ? full - 100 : full)
}

type Part = string | undefined

function utc(year: Part, month: Part, day: Part, hour: Part, minute: Part, second: Part): number | undefined {
  const monthIndex = MONTHS.indexOf(month ?? '')
  if (monthIndex < 0 || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined
  // setUTCFullYear, as Date.UTC takes the years 0 to 99 for 1900 to 1999.
  const date = new Date(0)
  const midnight = date.setUTCFullYear(Number(year), monthIndex, Number(day))
  if (Number(day) < 1 || date.getUTCMonth() !== monthIndex) return undefined
  return midnight + ((Number(hour) * 60 + Number(minute)) * 60 + Number(second)) * 1000
}

/** The Date field's text, made once a second. */
export function dateSource(now: () => number): () => string {
  let second = -1
  let text = ''
  return () => {
    const current = Math.floor(now() / 1000)
    if (current !== second) {
      second = current
      text = formatHttpDate(current * 1000)
    }
    return text
  }
}
