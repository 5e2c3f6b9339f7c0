// POSIX extended regular expressions: what they match, what is refused, and that none is slow.
import t from 'tap'
import { compileExtendedRegex } from '../../src/token/extended-regex.ts'
import type { ExtendedRegex } from '../../src/token/extended-regex.ts'

function compiled(text: string): ExtendedRegex {
  const regex = compileExtendedRegex(text)
  if (typeof regex === 'string') throw new Error(`${text} is ${regex}`)
  return regex
}

function found(pattern: string, text: string): boolean {
  return compiled(pattern).matches(text, false)
}

const CASES: [pattern: string, matches: string[], others: string[]][] = [
  // The expressions of RFC 9246 §2.1.15.2 and appendix A.
  [
    '[^:]*\\://[^/]*/folder/content/quality_[^/]*/segment.{3}\\.mp4(\\?.*)?',
    [
      'https://h/folder/content/quality_1080/segment001.mp4',
      'http://h/folder/content/quality_/segmentabc.mp4?x',
    ],
    [
      'https://h/folder/content/quality_1/2/segment001.mp4',
      'https://h/folder/content/quality_1/segment01.mp4',
    ],
  ],
  [
    'http://cdni\\.example/foo/bar/[0-9]{3}\\.png',
    ['http://cdni.example/foo/bar/007.png'],
    ['http://cdni.example/foo/bar/07.png', 'http://cdniXexample/foo/bar/007.png'],
  ],
  ['a|bc|d*', ['a', 'bc', '', 'ddd'], ['abc', 'b', 'ad']],
  ['(a|b)+c?', ['a', 'abba', 'bc'], ['', 'c', 'acc']],
  ['a{2}', ['aa'], ['a', 'aaa']],
  ['a{2,}', ['aa', 'aaaa'], ['a']],
  ['a{0,2}b', ['b', 'ab', 'aab'], ['aaab']],
  ['(ab){1,2}', ['ab', 'abab'], ['', 'ababab']],
  ['a{0}b', ['b'], ['ab']],
  ['[]a]+', [']a', 'a'], ['[', 'b']],
  ['[^]a]', ['b'], [']', 'a']],
  ['[a-]', ['a', '-'], ['b']],
  ['[\\d]', ['\\', 'd'], ['1']],
  ['[[:alpha:][:digit:]_]*', ['aZ9_', ''], ['-']],
  ['[^[:space:]/]', ['a', 'é'], [' ', '/']],
  ['.', ['a', '/', 'é'], ['', 'ab']],
  ['\\.\\*\\[\\\\', ['.*[\\'], ['xx']],
  ['^a$', ['a'], ['ba']],
  ['a^b', [], ['ab', 'a^b']],
  ['a$b', [], ['ab', 'a$b']],
  ['a}', ['a}'], ['a']],
]

for (const [pattern, matches, others] of CASES)
  t.test(`whole: ${pattern}`, async (t) => {
    for (const text of matches) t.equal(compiled(pattern).matches(text, true), true, text)
    for (const text of others) t.equal(compiled(pattern).matches(text, true), false, text)
  })

t.test('any part', async (t) => {
  t.equal(found('b+', 'abc'), true)
  t.equal(found('^b', 'abc'), false)
  t.equal(found('c$', 'abc'), true)
  t.equal(found('b$', 'abc'), false)
  t.equal(found('x*', 'abc'), true)
  t.equal(found('bd', 'abc'), false)
})

t.test('refused', async (t) => {
  const malformed = [
    '',
    '(',
    ')',
    'a)',
    '()',
    'a||b',
    '|a',
    '*a',
    '+',
    'a**',
    'a+?',
    '{2}',
    'a{',
    'a{x}',
    'a{2,1}',
    'a{256}',
    '[a',
    '[]',
    '[z-a]',
    '\\',
    '^*',
    '('.repeat(40) + 'a' + ')'.repeat(40),
    '((a{255}){255}){255}',
    'a'.repeat(1025),
  ]
  for (const pattern of malformed) t.equal(compileExtendedRegex(pattern), 'malformed', pattern.slice(0, 30))
  for (const pattern of ['\\d', '\\w+', '(a)\\1', '[[.a.]]', '[[=a=]]', '[[:nope:]]', 'é'])
    t.equal(compileExtendedRegex(pattern), 'unsupported', pattern)
})

t.test('expressions that keep a backtracking matcher busy for ever end at once', async (t) => {
  const text = 'a'.repeat(8000)
  for (const pattern of [
    '(a*)*b',
    '(a|a)*b',
    '(a|aa)+$b',
    '((a+)+)+b',
    '(.*)(.*)(.*)(.*)b',
    '(a?){200}a{200}b',
  ])
    for (const whole of [true, false]) t.equal(compiled(pattern).matches(text, whole), false, pattern)
})
