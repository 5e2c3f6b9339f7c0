// `${NAME}` and `${file:PATH}` in the texts of a configuration file, so that secrets stay out of it. `$${` is a
// literal `${`.
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import path from 'node:path'
import { messageOf, systemCode } from '../errors.ts'

export interface Replaced {
  text: string
  /** True when a variable or a file went into the text: it may be a secret and is never printed. */
  used: boolean
  /** Of a file: it is text, whatever it looks like. */
  isText: boolean
  /** What is wrong with its references; the text is then useless. */
  problems: string[]
}

const REFERENCE = /\$(\$?)\{([^}]*)(\}?)/g
const FILE = 'file:'
const SECRET_BYTES_MAX = 64 * 1024
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function hasReference(text: string): boolean {
  return text.includes('${')
}

/** Where a configuration file gets what it refers to. */
export interface References {
  env: NodeJS.ProcessEnv
  /** Relative files are meant from here. */
  directory: string
}

export function replaceReferences(text: string, { env, directory }: References): Replaced {
  const problems: string[] = []
  let used = false
  let isText = false
  const replaced = text.replace(REFERENCE, (whole, escaped: string, name: string, end: string) => {
    if (escaped !== '') return whole.slice(1)
    if (end !== '' && name.startsWith(FILE) && name.length > FILE.length) {
      used = true
      isText = true
      return readSecret(path.resolve(directory, name.slice(FILE.length)), problems)
    }
    if (end === '' || !NAME.test(name)) {
      problems.push('has a broken reference: write ${NAME} or ${file:PATH}, or $${ for a literal ${')
      return ''
    }
    const value = env[name]
    if (value === undefined) problems.push(`\${${name}} is not set in the environment`)
    used = true
    return value ?? ''
  })
  return { text: replaced, used, isText, problems }
}

const FILE_FAILURES: Record<string, string> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a directory, not a file',
  EACCES: 'cannot be read: permission denied',
}

/** Without the line end that editors put behind it. */
function readSecret(file: string, problems: string[]): string {
  try {
    const bytes = readBounded(file)
    if (bytes === null) {
      problems.push(`\${file:…}: ${file} is not a regular file`)
      return ''
    }
    if (bytes.length <= SECRET_BYTES_MAX) return bytes.toString('utf8').replace(/\r?\n$/, '')
    problems.push(`\${file:…}: ${file} is larger than ${SECRET_BYTES_MAX / 1024} KiB`)
  } catch (error) {
    problems.push(`\${file:…}: ${file} ${FILE_FAILURES[systemCode(error) ?? ''] ?? messageOf(error)}`)
  }
  return ''
}

/** At most one byte more than a secret has. null: a pipe or a device, on which a start would wait or never end. */
function readBounded(file: string): Buffer | null {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stats = fstatSync(descriptor)
    if (stats.isDirectory()) throw Object.assign(new Error('is a directory'), { code: 'EISDIR' })
    if (!stats.isFile()) return null
    const buffer = Buffer.alloc(SECRET_BYTES_MAX + 1)
    let length = 0
    for (;;) {
      const read = readSync(descriptor, buffer, length, buffer.length - length, null)
      length += read
      if (read === 0 || length === buffer.length) return buffer.subarray(0, length)
    }
  } finally {
    closeSync(descriptor)
  }
}

const NUMBER = /^(?:[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+)$/
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/

/** A text without quotes as the YAML core schema reads it: a number, a boolean, or itself. */
export function plainScalar(text: string): string | number | boolean {
  if (BOOLEAN.test(text)) return text.toLowerCase() === 'true'
  return NUMBER.test(text) ? Number(text) : text
}
