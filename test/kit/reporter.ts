// tap's output for people and logs without a cursor: a line for each test file, failures in full, and the
// closing line `N passed, N failed` with tap's own count of assertions.
import { Transform } from 'node:stream'
import type { TransformCallback } from 'node:stream'

const FILE_LINE = /^(not )?ok \d+ - (.*?)(?: # (?:time=([\d.]+)ms|((?:SKIP|TODO).*?)))?(?: \{)?$/
const POINT = /^( *)(not )?ok \d+/
/** Of a failed subtest or file: what its own failures inside do not say. */
const CLOSER_DETAIL = /^ +(?:exitCode|signal|expired|timeout): (?!null)/
const TOTAL = /^# \{ total: .* \}$/

// tap loads a reporter by its default export.
export default class Reporter extends Transform {
  #rest = ''
  #closing = '0 passed, 0 failed'
  /** Indentation of the failed point whose diagnostics follow; -1 for none. */
  #diagnosed = -1
  #inDiagnostics = false
  #isCloser = false

  constructor() {
    super({ encoding: 'utf8' })
  }

  override _transform(chunk: Buffer | string, _encoding: BufferEncoding, done: TransformCallback): void {
    const lines = (this.#rest + chunk.toString()).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
    done()
  }

  override _flush(done: TransformCallback): void {
    this.#line(this.#rest)
    this.push(`${this.#closing}\n`)
    done()
  }

  #line(line: string): void {
    if (this.#diagnostics(line)) return
    const file = FILE_LINE.exec(line)
    const point = POINT.exec(line)
    if (file !== null) {
      const took = file[3] === undefined ? (file[4] ?? '') : `${(Number(file[3]) / 1000).toFixed(1)} s`
      this.push(`${file[1] === undefined ? 'ok    ' : 'FAILED'} ${file[2]}  ${took}\n`)
    } else if (point?.[2] !== undefined) {
      this.push(`${line}\n`)
    } else if (line.startsWith('Bail out!') || /^ +# (?!Subtest: |time=)/.test(line)) {
      this.push(`${line}\n`)
    } else if (TOTAL.test(line)) {
      this.#closing = `${countOf(line, 'pass')} passed, ${countOf(line, 'fail')} failed`
      const left = countOf(line, 'skip') + countOf(line, 'todo')
      if (left > 0) this.push(`${left} skipped or to do\n`)
    }
    this.#isCloser = line.includes(' # time=')
    this.#diagnosed = point?.[2] === undefined ? -1 : (point[1]?.length ?? 0)
  }

  /** YAML between `---` and `...`, two deeper than the failed point above it. */
  #diagnostics(line: string): boolean {
    if (this.#diagnosed < 0) return false
    const indent = ' '.repeat(this.#diagnosed + 2)
    if (!this.#inDiagnostics && line !== `${indent}---`) return false
    this.#inDiagnostics = line !== `${indent}...`
    if (!this.#inDiagnostics) this.#diagnosed = -1
    if (!this.#isCloser || CLOSER_DETAIL.test(line)) this.push(`${line}\n`)
    return true
  }
}

function countOf(total: string, name: string): number {
  return Number(new RegExp(`\\b${name}: (\\d+)`).exec(total)?.[1] ?? 0)
}
