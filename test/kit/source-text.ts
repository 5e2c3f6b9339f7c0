// Reads TypeScript as text, for the repository check: code without comments and strings, and what it imports.

export interface SourceFile {
  /** From the root of the repository, with `/`. */
  path: string
  text: string
}

export interface ImportOf {
  /** As written: a package, `node:…`, or a relative path. */
  specifier: string
  /** `import type` and `export type`: gone at run time. */
  typeOnly: boolean
}

const STRING_OR_COMMENT =
  /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\[\s\S])*`|(?<=[=(,:;!&|?[{}+\n]\s*|return\s+)\/(?![*/])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[dgimsuvy]*/g

/** The code with comments, strings and regular expressions blanked; line numbers stay. */
export function codeOf(text: string): string {
  return text.replaceAll(STRING_OR_COMMENT, (found) =>
    // What stands in a template's ${…} is code.
    found.startsWith('`') ? keepExpressions(found) : found.replaceAll(/[^\n]/g, ' '),
  )
}

function keepExpressions(template: string): string {
  const expressions = [...template.matchAll(/\$\{([^}]*)\}/g)].map((match) => match[1]).join(' ')
  const lines = template.split('\n').length - 1
  return `${expressions.replaceAll('\n', ' ')} ${'\n'.repeat(lines)}`
}

const STATIC_IMPORT = /^\s*(import|export)\s+(type\s+)?(?:[\w*{}\s,$]+?\s+from\s+)?'([^'\n]+)'/gm
const DYNAMIC_IMPORT = /\bimport\(\s*'([^'\n]+)'\s*\)/g
/** A worker or a script that is run by its file. */
const FILE_URL = /new URL\(\s*'(\.[^'\n]+)',\s*import\.meta\.url\s*\)/g

/** Imports and re-exports, dynamic ones too, and files named by `new URL('…', import.meta.url)`. */
export function importsOf(text: string): ImportOf[] {
  // The formatter puts specifiers in single quotes; what stands in double ones quotes code.
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/[^\n]*|"(?:[^"\\\n]|\\.)*"/gm, '')
  return [
    ...[...code.matchAll(STATIC_IMPORT)].map((match) => ({
      specifier: match[3] ?? '',
      typeOnly: match[2] !== undefined,
    })),
    ...[...code.matchAll(DYNAMIC_IMPORT), ...code.matchAll(FILE_URL)].map((match) => ({
      specifier: match[1] ?? '',
      typeOnly: false,
    })),
  ]
}

/** The repository path that a relative specifier of `from` names; undefined for a package. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const parts = from.split('/').slice(0, -1)
  for (const part of specifier.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '.' && part !== '') parts.push(part)
  }
  return parts.join('/')
}
