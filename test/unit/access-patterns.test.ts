// Patterns of pages and globs of User-Agent: what they take, what they refuse, what is wrong with them.
import t from 'tap'
import { compileGlob } from '../../src/access/user-agent.ts'
import { parseWebAddress } from '../../src/access/web-address.ts'
import type { WebAddress } from '../../src/access/web-address.ts'
import { compileWebPatterns, webPatternProblem } from '../../src/access/web-pattern.ts'

function pageOf(text: string): WebAddress {
  const page = parseWebAddress(text)
  if (page === undefined) throw new Error(`${text} is no page`)
  return page
}

const PAGES: [pattern: string, matches: string[], others: string[]][] = [
  ['*', ['https://a', 'http://[::1]:80/', 'android-app://com.example.tv/'], []],
  [
    'example.com',
    ['https://example.com', 'HTTP://EXAMPLE.com:81/x', 'https://example.com./?q'],
    ['https://a.example.com', 'https://example.co', 'https://example.com.evil.net', 'app://example.com'],
  ],
  [
    '*.example.com',
    ['https://a.example.com/', 'https://a.b.example.com'],
    [
      'https://example.com/',
      'https://evilexample.com',
      'https://a.example.com.evil.net',
      'https://.example.com',
      'app://a.example.com',
    ],
  ],
  ['*.COM.', ['https://a.com', 'https://a.b.com'], ['https://com', 'https://acom']],
  ['https://example.com', ['https://example.com/x', 'https://example.com:8443'], ['http://example.com']],
  [
    'example.com:8443',
    ['https://example.com:8443', 'http://example.com:8443/x'],
    ['https://example.com', 'http://example.com'],
  ],
  ['https://*.example.com:443', ['https://a.example.com'], ['https://a.example.com:8443']],
  ['https://*', ['https://a.b/c'], ['http://a.b', 'app://a.b']],
  ['android-app://com.example.tv', ['android-app://com.example.tv/'], ['https://com.example.tv/']],
  [
    'https://a.example.com/app/*',
    ['https://a.example.com/app/', 'https://a.example.com/app/x?y'],
    [
      'https://a.example.com/app',
      'https://a.example.com/',
      'https://a.example.com',
      'https://a.example.com/APP/',
    ],
  ],
  ['a.example.com/*', ['https://a.example.com/', 'http://a.example.com/x'], ['https://b.example.com/']],
  ['bücher.example', ['https://xn--bcher-kva.example/'], ['https://bucher.example/']],
  ['*.例え.jp', ['https://a.xn--r8jz45g.jp'], ['https://xn--r8jz45g.jp']],
  ['[2001:DB8:0::1]', ['http://[2001:db8::1]/', 'http://[2001:0db8::0001]'], ['http://[2001:db8::2]/']],
  ['10.0.0.1', ['http://10.0.0.1:8080/'], ['http://10.0.0.10/']],
  ['a_b.example.com', ['https://a_b.example.com'], ['https://ab.example.com']],
]

for (const [pattern, matches, others] of PAGES) {
  t.test(`page ${pattern}`, async (t) => {
    t.equal(webPatternProblem(pattern, 'referer'), undefined)
    const matcher = compileWebPatterns([pattern], 'referer', 'test')
    const find = (text: string) => matcher.find(pageOf(text))
    for (const text of matches) t.equal(find(text), pattern, text)
    for (const text of others) t.equal(find(text), undefined, text)
  })
}

t.test('of several patterns the nearest host is named', async (t) => {
  const patterns = ['*', '*.example.com', 'http://a.example.com', 'a.example.com']
  const matcher = compileWebPatterns(patterns, 'referer', 'test')
  const find = (text: string) => matcher.find(pageOf(text))
  t.equal(find('https://a.example.com'), 'a.example.com')
  t.equal(find('http://a.example.com'), 'http://a.example.com')
  t.equal(find('https://b.example.com'), '*.example.com')
  t.equal(find('https://example.com'), '*')
})

t.test('patterns that cannot be used', async (t) => {
  for (const text of [
    '',
    'https://',
    '*example.com',
    'a.*.com',
    '**',
    '*.*.com',
    '.example.com',
    'example..com',
    'exa mple.com',
    'user@example.com',
    'a%20b.com',
    'example.com:port',
    'example.com:70000',
    'example.com/app',
    'example.com/*/app/*',
    'example.com/app?x*',
    'example.com/büch*',
    '*.',
    '[::1',
    '[zz]',
    'null',
  ]) {
    t.type(webPatternProblem(text, 'referer'), 'string', JSON.stringify(text))
  }
  t.equal(webPatternProblem('null', 'origin'), undefined)
  t.match(webPatternProblem('https://a.example.com/*', 'origin'), /path/)
})

const AGENTS: [glob: string, matches: string[], others: string[]][] = [
  ['*', ['', 'x', 'a/b c'], []],
  ['curl/*', ['curl/8.5', 'CURL/'], ['libcurl/8', 'curl']],
  ['*VLC*', ['VLC', 'LibVLC/3', 'vlc x'], ['VL', 'V LC']],
  ['*Android*Mobile*', ['x Android 14; Mobile y', 'androidmobile'], ['Mobile Android', 'Android Mobil']],
  [
    'Mozilla/?.0*Safari',
    ['mozilla/5.0 Safari', 'Mozilla/5.0Safari'],
    ['Mozilla/15.0 Safari', 'Mozilla/5.0 Safari/'],
  ],
  ['*a?c*b?', ['abcb!', 'xaxcxxbx'], ['ac bx', 'abcb', 'abc']],
  ['ab*ba', ['abba', 'ab-ba'], ['aba', 'ab']],
  ['*a*a', ['aa', 'xaxa'], ['a', 'xax']],
  ['(x)+[1]$', ['(X)+[1]$'], ['x1']],
  ['?', ['a', '?'], ['', 'ab']],
  ['exact', ['EXACT'], ['exact ', 'xexact', 'exac']],
]

for (const [glob, matches, others] of AGENTS) {
  t.test(`agent ${glob}`, async (t) => {
    const isMatch = compileGlob(glob)
    for (const text of matches) t.equal(isMatch(text.toLowerCase()), true, text)
    for (const text of others) t.equal(isMatch(text.toLowerCase()), false, text)
  })
}

t.test('a glob that would make a backtracking matcher run for years', async (t) => {
  // The test's own time limit is what fails here.
  const long = 'a'.repeat(16_000)
  t.equal(compileGlob(`${'*a'.repeat(120)}b`)(long), false)
  t.equal(compileGlob(`${'*a?'.repeat(80)}*b*`)(long), false)
})
