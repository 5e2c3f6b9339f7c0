// Who may read a reply from a page: any origin, a list, nobody.
import t from 'tap'
import { corsFields, preflightFields } from '../../src/http/cors.ts'
import { FieldBlock } from '../../src/http/fields.ts'

const PLAYER = 'https://player.example'
const allowed = (list: string[], origin: string | undefined) =>
  new FieldBlock(corsFields(list, origin)).get('access-control-allow-origin')

t.test('who gets Access-Control-Allow-Origin', async (t) => {
  const cases: [string[], string | undefined, string | undefined][] = [
    [['*'], undefined, '*'],
    [['*'], PLAYER, '*'],
    [['*'], 'null', '*'],
    [['*', PLAYER], PLAYER, '*'],
    [[PLAYER], PLAYER, PLAYER],
    [[PLAYER], 'https://evil.example', undefined],
    [[PLAYER], 'https://PLAYER.example', undefined],
    [[PLAYER], `${PLAYER}.evil.example`, undefined],
    [[PLAYER], 'http://player.example', undefined],
    [[PLAYER], `${PLAYER}, https://evil.example`, undefined],
    [[PLAYER], undefined, undefined],
    [[], PLAYER, undefined],
    [[], 'null', undefined],
  ]
  for (const [list, origin, answer] of cases)
    t.equal(allowed(list, origin), answer, `${list.join(' ')} for ${origin}`)
})

t.test('a page that a scheduler redirected here has the origin null, and plays', async (t) => {
  t.equal(allowed([PLAYER], 'null'), 'null')
})

t.test('no reply allows credentials', async (t) => {
  for (const list of [['*'], [PLAYER], []]) {
    for (const origin of [PLAYER, 'null', undefined]) {
      t.notOk(new FieldBlock(corsFields(list, origin)).get('access-control-allow-credentials'))
    }
  }
})

t.test('a reply that depends on Origin says so, whoever asks', async (t) => {
  for (const origin of [PLAYER, 'null', 'https://evil.example', undefined]) {
    t.equal(new FieldBlock(corsFields([PLAYER], origin)).get('vary'), 'Origin', String(origin))
    t.notOk(new FieldBlock(corsFields(['*'], origin)).get('vary'))
  }
})

const headers = (requested: string | undefined) =>
  new FieldBlock(preflightFields(requested)).get('access-control-allow-headers')

t.test('a preflight names only headers that are names', async (t) => {
  t.equal(headers('range, x-own_1'), 'range, x-own_1')
  for (const odd of [undefined, '', 'a\r\nSet-Cookie: b', 'a:b', 'a"b', 'é', 'x'.repeat(513)]) {
    t.equal(headers(odd), 'Range', JSON.stringify(odd))
  }
})
