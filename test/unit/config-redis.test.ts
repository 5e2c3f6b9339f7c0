// `scheduler.redis`: the forms it takes, and what is said of those it does not.
import t from 'tap'
import { problemsOf, schedulerOf } from '../fixtures/config/load-text.ts'
import { stringify } from 'yaml'
import { schedulerSettingsText } from '../kit/scheduler.ts'
import type { TestScope } from '../kit/scope.ts'

const load = (t: TestScope, redis: unknown, env = {}) =>
  schedulerOf(t, stringify(schedulerSettingsText({ scheduler: { redis } })), env)

const CA = { ca: 'redis.pem' }

t.test('accepted', async (t) => {
  for (const redis of [
    'redis://127.0.0.1:6379',
    'rediss://user:p%40ss@redis.example.com/2',
    'redis://[::1]:6379',
    { url: 'rediss://redis.example.com', password: 'p@ss', ...CA },
    { url: 'redis://redis.example.com', tls: true, ...CA },
    { cluster: ['10.0.0.1:7000', 'node-2.example.com:7000'], username: 'edgeward', password: 'x', tls: true },
  ]) {
    const { settings } = await load(t, redis)
    t.ok(settings.scheduler.redis, JSON.stringify(redis))
  }
  const sentinels = {
    sentinels: ['10.0.0.1:26379'],
    name: 'main',
    password: '${WORD}',
    sentinelPassword: 'x',
  }
  const { settings } = await load(t, sentinels, { WORD: 'of the wise' })
  t.match(settings.scheduler.redis, {
    sentinels: [{ host: '10.0.0.1', port: 26_379 }],
    name: 'main',
    password: 'of the wise',
  })
})

t.test('refused, by the key and without the value', async (t) => {
  const url = 'redis://10.0.0.1'
  const cases: [unknown, RegExp][] = [
    ['http://10.0.0.1', /redis: must be a redis:\/\/ or rediss:\/\/ URL$/],
    ['redis://', /redis: must be a redis/],
    ['redis://:hush@host:port', /redis: must be a redis/],
    ['redis://10.0.0.1/name', /redis: must be a redis/],
    ['redis://10.0.0.1/?password=hush', /redis: must be a redis/],
    ['redis://:hush%@10.0.0.1', /redis: must be a redis/],
    [7, /redis: must be a redis:\/\/ or rediss:\/\/ URL, or hold one of url, sentinels and cluster$/],
    [{}, /redis: needs one of url, sentinels and cluster$/],
    [{ url, cluster: ['10.0.0.1:7000'] }, /redis: needs one of/],
    [{ url, colour: 'red' }, /redis\.colour: is not a known key/],
    [{ url, name: 'main' }, /redis\.name: belongs to sentinels$/],
    [{ url, sentinelPassword: 'hush' }, /redis\.sentinelPassword: belongs to sentinels$/],
    [{ sentinels: ['10.0.0.1:26379'] }, /redis\.name: is missing/],
    [{ sentinels: [], name: 'main' }, /redis\.sentinels: must have at least 1 entry$/],
    [{ cluster: ['10.0.0.1'] }, /redis\.cluster\[0\]: must be an address and port/],
    [{ cluster: ['10.0.0.1:0'] }, /redis\.cluster\[0\]: must have a port from 1 to 65535$/],
    [{ url, password: 7 }, /redis\.password: must be text: put it in quotes$/],
    [{ url: 'redis://:hush@10.0.0.1', password: 'hush' }, /redis\.password: stands in the URL too$/],
    [{ url: 'rediss://10.0.0.1', tls: false }, /redis\.tls: contradicts rediss:\/\/$/],
    [{ url, ...CA }, /redis\.ca: needs tls: true or a rediss:\/\/ URL$/],
  ]
  for (const [redis, expected] of cases) {
    const problems = await problemsOf(load(t, redis))
    t.equal(problems.length, 1, JSON.stringify(redis))
    t.match(problems[0], expected)
    t.notMatch(problems.join(), 'hush')
  }
})
