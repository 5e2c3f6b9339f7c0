// The rules that the repository keeps about itself (STYLE of the code, one function a rule). Each takes the files
// as data and gives what breaks it, one line a problem, so that each can be shown to fail.
import path from 'node:path'
import { codeOf, importsOf, resolveImport } from './source-text.ts'
import type { SourceFile } from './source-text.ts'

export const LINES_WARNING = 350
export const LINES_STOP = 500

/** Only these may stand beside files that start with a dot and *.md. */
const TOP_LEVEL = new Set(
  'package.json package-lock.json tsconfig.json LICENSE src edge scheduler deploy bench test docs'.split(' '),
)
/** Made by installing, building and testing; never committed. */
const NOT_COMMITTED = new Set(['node_modules', 'dist', 'coverage', 'artifacts'])

export function topLevelProblems(names: readonly string[]): string[] {
  return names
    .filter((name) => !name.startsWith('.') && !name.endsWith('.md'))
    .filter((name) => !TOP_LEVEL.has(name) && !NOT_COMMITTED.has(name))
    .map((name) => `${name}: not one of the fixed names of the top level`)
}

export function openingProblems(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ text }) => !/^(?:#![^\n]*\n)?\/[/*]/.test(text))
    .map((file) => `${file.path}: does not open with a comment that says what it owns`)
}

export function lengthProblems(files: readonly SourceFile[], max: number): string[] {
  return files
    .map((file) => ({ file, lines: file.text.trimEnd().split('\n').length }))
    .filter(({ lines }) => lines >= max)
    .map(({ file, lines }) => `${file.path}: ${lines} lines, ${max} is the bound`)
}

const STRAY = [
  { pattern: /\bDate\.now\b/, says: 'Date.now' },
  { pattern: /\bperformance\.(?:now|timeOrigin)\b/, says: 'performance.now' },
  { pattern: /\bnew Date(?:\(\s*\)|(?!\s*[(\w]))/, says: 'new Date()' },
  { pattern: /\bMath\.random\b/, says: 'Math.random' },
  { pattern: /\bhrtime\b/, says: 'process.hrtime' },
  { pattern: /\bconsole\./, says: 'console' },
]

/** Time and chance come from src/clock.ts, output from the logger or process.stdout. */
export function strayProblems(files: readonly SourceFile[]): string[] {
  return files
    .filter((file) => file.path !== 'src/clock.ts')
    .flatMap((file) =>
      codeOf(file.text)
        .split('\n')
        .flatMap((line, i) =>
          STRAY.filter(({ pattern }) => pattern.test(line)).map(
            ({ says }) => `${file.path}:${i + 1}: ${says} outside its one place`,
          ),
        ),
    )
}

/** Who may import whom. */
export function importProblems(files: readonly SourceFile[]): string[] {
  const known = new Set(files.map((file) => file.path))
  return files.flatMap((file) =>
    importsOf(file.text).flatMap(({ specifier, typeOnly }) => {
      const target = resolveImport(file.path, specifier)
      const problem =
        target === undefined ? packageProblem(file.path, specifier) : fileProblem(file.path, target, typeOnly)
      if (problem !== undefined) return [`${file.path}: imports ${specifier}: ${problem}`]
      const missing = target?.endsWith('.ts') === true && !known.has(target)
      return missing ? [`${file.path}: imports ${specifier}, which is not there`] : []
    }),
  )
}

/** Only the registry's Redis file knows Redis. */
function packageProblem(from: string, specifier: string): string | undefined {
  if (specifier !== 'ioredis' || isTestOrBench(from)) return undefined
  return from.startsWith('scheduler/registry/redis')
    ? undefined
    : 'only scheduler/registry/redis*.ts knows Redis'
}

function fileProblem(from: string, target: string, typeOnly: boolean): string | undefined {
  if (isTestOrBench(from)) return undefined
  if (isTestOrBench(target)) return 'nothing outside test/ and bench/ imports them'
  const part = partOf(target)
  if (part !== 'edge' && part !== 'scheduler') return undefined
  if (partOf(from) !== part) {
    const wires = /^src\/commands\/[^/]+$/.test(from) && target === `${part}/main.ts`
    return wires ? undefined : `only ${part}/ imports ${part}/ (src/commands its main.ts)`
  }
  return stageProblem(from, target, typeOnly)
}

const FLOWS: Readonly<Record<string, readonly string[]>> = {
  edge: ['main.ts', 'server.ts', 'request-flow.ts'],
  scheduler: ['main.ts', 'steer-flow.ts'],
}

/** Inside a daemon: stages import src/, the exchange and what else stands beside it; of the flow, types alone. */
function stageProblem(from: string, target: string, typeOnly: boolean): string | undefined {
  const [daemon = '', stage = '', inner] = from.split('/')
  if (inner === undefined) return undefined
  const [, targetStage = '', targetInner] = target.split('/')
  if (targetInner === undefined) {
    const isFlow = FLOWS[daemon]?.includes(targetStage) === true
    return isFlow && !typeOnly ? 'a stage never imports the flow' : undefined
  }
  const apart = daemon === 'edge' && ['cache', 'upstream'].includes(targetStage) && targetStage !== stage
  if (apart && ['cache', 'upstream'].includes(stage)) return 'only fill/ joins cache/ and upstream/'
  return undefined
}

function partOf(file: string): string {
  return file.split('/', 1)[0] ?? ''
}

function isTestOrBench(file: string): boolean {
  return ['test', 'bench'].includes(partOf(file))
}

/** Cycles among imports that remain at run time, each given once by its members. */
export function cycleProblems(files: readonly SourceFile[]): string[] {
  const graph = graphOf(files, false)
  const done = new Set<string>()
  const problems = new Set<string>()
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at !== -1) {
      const members = trail.slice(at)
      const first = members.indexOf([...members].toSorted()[0] ?? '')
      problems.add([...members.slice(first), ...members.slice(0, first)].join(' → '))
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return [...problems].map((members) => `cycle: ${members}`)
}

/** Files that nothing leads to from an entry: `src/cli.ts`, a test, a benchmark, a file that `scripts` name. */
export function unusedProblems(files: readonly SourceFile[], scripts: readonly string[]): string[] {
  const graph = graphOf(files, true)
  const named = new Set(
    scripts.flatMap((script) => script.split(/\s+/)).map((word) => word.replace(/^\.\//, '')),
  )
  const isEntry = (file: string) =>
    file === 'src/cli.ts' ||
    file === 'src/edgeward.js' ||
    /^bench\/[^/]+$/.test(file) ||
    file.endsWith('.test.ts') ||
    // The compiler takes ambient declarations by itself.
    file.endsWith('.d.ts') ||
    named.has(file)
  const reached = new Set<string>()
  const visit = (file: string): void => {
    if (reached.has(file)) return
    reached.add(file)
    for (const next of graph.get(file) ?? []) visit(next)
  }
  for (const file of graph.keys()) if (isEntry(file)) visit(file)
  return [...graph.keys()].filter((file) => !reached.has(file)).map((file) => `${file}: nothing uses it`)
}

function graphOf(files: readonly SourceFile[], withTypes: boolean): Map<string, string[]> {
  return new Map(
    files.map((file) => [
      file.path,
      importsOf(file.text)
        .filter(({ typeOnly }) => withTypes || !typeOnly)
        .flatMap(({ specifier }) => resolveImport(file.path, specifier) ?? []),
    ]),
  )
}

/** Each runtime dependency has a line in docs/dependencies.md that says why it is there. */
export function dependencyProblems(dependencies: readonly string[], page: string): string[] {
  const lines = page.split('\n')
  const unexplained = dependencies.filter(
    (name) => !lines.some((line) => line.includes(`\`${name}\``) && line.length > name.length + 20),
  )
  const named = [...page.matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1] ?? '')
  return [
    ...unexplained.map((name) => `${name}: no line in docs/dependencies.md says why`),
    ...named
      .filter((name) => !dependencies.includes(name))
      .map((name) => `${name}: in docs/dependencies.md, not in package.json`),
  ]
}

/** Relative links of a page; `exists` is asked for a path from the root of the repository. */
export function linkProblems(page: SourceFile, exists: (path: string) => boolean): string[] {
  const prose = page.text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^(?:[a-z][a-z0-9+.-]*:|#)/i.test(link))
    .filter((link) => {
      const target = decodeURIComponent(link.split('#', 1)[0] ?? '')
      return !exists(path.posix.join(path.posix.dirname(page.path), target))
    })
    .map((link) => `${page.path}: link to ${link} leads nowhere`)
}
