// The repository check: the rules of the code's style that a machine can see, applied to this repository, and
// each shown to fail on a small example.
import { existsSync, globSync, readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { z } from 'zod'
import {
  LINES_STOP,
  LINES_WARNING,
  cycleProblems,
  dependencyProblems,
  importProblems,
  lengthProblems,
  linkProblems,
  openingProblems,
  strayProblems,
  topLevelProblems,
  unusedProblems,
} from '../kit/repository-rules.ts'
import { codeOf, importsOf } from '../kit/source-text.ts'
import type { SourceFile } from '../kit/source-text.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const manifest = z
  .object({ dependencies: z.record(z.string(), z.string()), scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')))

const sources = read('{src,edge,scheduler,deploy,bench,test}/**/*.{ts,js}')
const pages = [...read('*.md'), ...read('{docs,deploy,bench}/**/*.md')]

t.test('the top level holds only its fixed names', async (t) => {
  t.strictSame(topLevelProblems(readdirSync(ROOT)), [])
  t.match(topLevelProblems(['lib', 'src', 'README.md', '.ci', 'dist']), [/^lib: /])
})

t.test('every source file opens with a comment', async (t) => {
  t.strictSame(openingProblems(sources), [])
  t.match(openingProblems([one('a.ts', "import t from 'tap'\n// late\n")]), [/^a\.ts: /])
  t.strictSame(openingProblems([one('a.js', '#!/usr/bin/env node\n// first\n')]), [])
})

t.test('no file is too long', async (t) => {
  t.strictSame(lengthProblems(sources, LINES_STOP), [])
  for (const problem of lengthProblems(sources, LINES_WARNING))
    t.comment(`look for the second subject: ${problem}`)
  t.match(lengthProblems([one('a.ts', '// x\n'.repeat(500))], LINES_STOP), [/^a\.ts: 500 lines/])
  t.strictSame(lengthProblems([one('a.ts', '// x\n'.repeat(499))], LINES_STOP), [])
})

t.test('only src/clock.ts reads time and chance, and nothing writes to the console', async (t) => {
  t.strictSame(strayProblems(sources), [])
  for (const code of [
    'const now = Date.now()',
    'const at = performance.now()',
    'const date = new Date()',
    'const date = new Date',
    'if (Math.random() < 0.5) stop()',
    'const text = `at ${Date.now()}`',
    "console.log('x')",
    'process.hrtime.bigint()',
  ]) {
    t.match(strayProblems([one('src/a.ts', `// a\n${code}\n`)]), [/^src\/a\.ts:2: /], code)
  }
  for (const code of [
    '// Date.now() is not called here',
    'const date = new Date(nowMs)',
    "t.match(text, 'Math.random()')",
    "const quoted = /['\"`]/.test(text) // then 'Date.now()'",
  ]) {
    t.strictSame(strayProblems([one('src/a.ts', `// a\n${code}\n`)]), [], code)
  }
  t.strictSame(strayProblems([one('src/clock.ts', 'Date.now()')]), [])
})

t.test('imports follow the layout', async (t) => {
  t.strictSame(importProblems(sources), [])
  const wrong: [string, string][] = [
    ['src/http/a.ts', '../../edge/main.ts'],
    ['src/commands/demo/a.ts', '../../../scheduler/main.ts'],
    ['src/commands/edge.ts', '../../edge/server.ts'],
    ['edge/main.ts', '../scheduler/main.ts'],
    ['scheduler/main.ts', '../edge/main.ts'],
    ['edge/main.ts', '../test/kit/ports.ts'],
    ['edge/respond/a.ts', '../request-flow.ts'],
    ['scheduler/choose/a.ts', '../steer-flow.ts'],
    ['edge/cache/a.ts', '../upstream/chain.ts'],
    ['edge/upstream/a.ts', '../cache/cache.ts'],
    ['scheduler/choose/a.ts', 'ioredis'],
    ['edge/main.ts', './gone.ts'],
  ]
  for (const [from, specifier] of wrong) {
    const files = [one(from, `// a\nimport { x } from '${specifier}'\n`)]
    t.equal(importProblems(files).length, 1, `${from} importing ${specifier}`)
  }
  const right: [string, string, string][] = [
    ['src/commands/edge.ts', '../../edge/main.ts', 'edge/main.ts'],
    ['edge/fill/a.ts', '../cache/cache.ts', 'edge/cache/cache.ts'],
    ['edge/fill/a.ts', '../upstream/chain.ts', 'edge/upstream/chain.ts'],
    ['edge/respond/a.ts', '../exchange.ts', 'edge/exchange.ts'],
    ['test/unit/a.test.ts', '../../edge/cache/cache.ts', 'edge/cache/cache.ts'],
  ]
  for (const [from, specifier, target] of right) {
    const files = [one(from, `// a\nimport { x } from '${specifier}'\n`), one(target, '// b\n')]
    t.strictSame(importProblems(files), [], `${from} importing ${specifier}`)
  }
  t.strictSame(importProblems([one('scheduler/registry/redis.ts', "import { Redis } from 'ioredis'")]), [])
})

t.test('imports have no cycle', async (t) => {
  t.strictSame(cycleProblems(sources), [])
  const files = [
    one('src/a.ts', "import { b } from './b.ts'"),
    one('src/b.ts', "export { c } from './c.ts'"),
    one('src/c.ts', "const a = await import('./a.ts')"),
  ]
  t.strictSame(cycleProblems(files), ['cycle: src/a.ts → src/b.ts → src/c.ts'])
  const types = [
    one('src/a.ts', "import { b } from './b.ts'"),
    one('src/b.ts', "import type { A } from './a.ts'"),
  ]
  t.strictSame(cycleProblems(types), [])
})

t.test('every file is used', async (t) => {
  const taprc = readFileSync(path.join(ROOT, '.taprc'), 'utf8')
  t.strictSame(unusedProblems(sources, [...Object.values(manifest.scripts), taprc]), [])
  const example = [
    one('src/cli.ts', "import { a } from './a.ts'"),
    one('src/a.ts', "const worker = new URL('./worker.ts', import.meta.url)"),
    one('src/worker.ts', ''),
    one('src/forgotten.ts', "import { a } from './a.ts'"),
    one('src/script.ts', ''),
    one('test/unit/a.test.ts', "import { kept } from '../../src/kept.ts'"),
    one('src/kept.ts', ''),
  ]
  t.strictSame(unusedProblems(example, ['node src/script.ts']), ['src/forgotten.ts: nothing uses it'])
})

t.test('each runtime dependency says why', async (t) => {
  const page = readFileSync(path.join(ROOT, 'docs/dependencies.md'), 'utf8')
  t.strictSame(dependencyProblems(Object.keys(manifest.dependencies), page), [])
  const text = '| `a` | parses what clients send |\n| `old` | was needed for something once |\n'
  t.match(dependencyProblems(['a', 'b'], text), [/^b: no line/, /^old: .* not in package\.json/])
})

t.test('links between pages lead somewhere', async (t) => {
  t.strictSame(
    pages.flatMap((page) => linkProblems(page, (file) => existsSync(path.join(ROOT, file)))),
    [],
  )
  const page = one(
    'docs/a.md',
    '[b](b.md) [c](../c.md#part) [d](https://d.example/) [e](#e) ![f](f.svg)\n`[g](g.md)`',
  )
  t.match(
    linkProblems(page, (file) => file === 'c.md'),
    [/link to b\.md/, /link to f\.svg/],
  )
})

t.test('what the rules read of a source file', async (t) => {
  t.strictSame(
    importsOf("import type { A } from './a.ts'\nimport b, {\n  c,\n} from 'b'\nimport './side.ts'\n"),
    [
      { specifier: './a.ts', typeOnly: true },
      { specifier: 'b', typeOnly: false },
      { specifier: './side.ts', typeOnly: false },
    ],
  )
  t.strictSame(importsOf("// import { x } from './x.ts'\n/* import './y.ts' */\n"), [])
  t.equal(codeOf("a('b') // c\n").trim(), 'a(   )')
  t.equal(codeOf('a(/[/"]+/, b)').replaceAll(/ +/g, ' '), 'a( , b)')
})

function one(file: string, text: string): SourceFile {
  return { path: file, text }
}

function read(pattern: string): SourceFile[] {
  return globSync(pattern, { cwd: ROOT })
    .map((file) => file.replaceAll(path.sep, '/'))
    .filter((file) => !file.includes('/node_modules/'))
    .map((file) => one(file, readFileSync(path.join(ROOT, file), 'utf8')))
}
