// What `edgeward explain` prints: for a person, in the width of the terminal, or as one JSON object. Text that came
// from the request is made harmless for a terminal; queries, paths with tokens and the values of other fields are
// never shown.
import type { Inquiry } from '../../inquiry.ts'
import type { Judgement, Row } from './judgement.ts'
import { paintOn, printable } from './screen.ts'
import type { Paint, Screen, Style } from './screen.ts'

export function jsonOf(inquiry: Inquiry, judgement: Judgement): string {
  const { property, client, rows, refusal } = judgement
  const text = {
    method: inquiry.method,
    url: shownUrl(inquiry, judgement),
    at: isoOf(inquiry.nowMs),
    address: client,
    property,
    allowed: refusal === null,
    status: refusal?.status ?? null,
    reason: refusal?.reason ?? null,
    by: refusal?.by ?? null,
    rule: refusal?.rule ?? null,
    steps: rows,
  }
  return `${JSON.stringify(text)}\n`
}

const GAP = 2
const STEP_MAX = 24
const COLUMNS = { least: 60, most: 100, unknown: 80 }

export function pageOf(inquiry: Inquiry, judgement: Judgement, screen: Screen): string {
  const { client, rows } = judgement
  const columns = Math.max(COLUMNS.least, Math.min(COLUMNS.most, screen.columns ?? COLUMNS.unknown))
  const paint = paintOn(screen)
  return [
    paint('bold', `${inquiry.method} ${shownUrl(inquiry, judgement)}`),
    paint('dim', `from ${client ?? 'an unknown address (--address)'}, at ${isoOf(inquiry.nowMs)}`),
    '',
    ...rowLines(rows, columns, paint),
    '',
    conclusion(judgement, paint),
    '',
  ].join('\n')
}

function rowLines(rows: readonly Row[], columns: number, paint: Paint): string[] {
  const stepWidth = Math.max(...rows.map((row) => stepName(row).length))
  const indent = 2 + VERDICT_WIDTH + GAP + stepWidth + GAP
  return rows.flatMap((row) => {
    const { verdict, detail } = row
    const [first = '', ...others] = wrapped(printable(detail), columns - indent)
    const mark = MARKS[verdict]
    const head = paint(mark.style, `${mark.sign} ${verdict.padEnd(VERDICT_WIDTH)}`)
    const line =
      `${head}${' '.repeat(GAP)}${stepName(row).padEnd(stepWidth)}${' '.repeat(GAP)}${first}`.trimEnd()
    const isQuiet = verdict === 'not asked' || verdict === 'no match'
    return [line, ...others.map((text) => ' '.repeat(indent) + text)].map((text) =>
      isQuiet ? paint('dim', text) : text,
    )
  })
}

/** `referer`, `rules[1] office`: as the keys stand under `access`. */
function stepName({ step, rule }: Row): string {
  const key = step.replace(/^access\./, '')
  const name = rule === null ? key : `${key} ${printable(rule)}`
  return name.length > STEP_MAX ? `${name.slice(0, STEP_MAX - 1)}…` : name
}

const MARKS: Record<Row['verdict'], { sign: string; style: Style }> = {
  allow: { sign: '✓', style: 'green' },
  deny: { sign: '✗', style: 'red' },
  'no match': { sign: '·', style: 'dim' },
  'not asked': { sign: ' ', style: 'dim' },
}
const VERDICT_WIDTH = Math.max(...Object.keys(MARKS).map((verdict) => verdict.length))

function conclusion({ refusal }: Judgement, paint: Paint): string {
  if (refusal === null) return paint(['bold', 'green'], 'allowed')
  const { status, reason, by, rule } = refusal
  const name = rule === null ? '' : ` “${printable(rule)}”`
  return `${paint(['bold', 'red'], `denied, ${status} ${reason}`)}: decided by ${by}${name}`
}

/** Without query, and without a path that may be a token. */
function shownUrl({ scheme, host }: Inquiry, { shownPath }: Judgement): string {
  return printable(`${scheme}://${host}${shownPath ?? '/…'}`)
}

/** Words on lines of that many characters at most, as far as words are that short. */
function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z')
}
