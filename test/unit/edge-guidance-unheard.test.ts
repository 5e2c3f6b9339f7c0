// An edge that hears no scheduler keeps whom it fills from and the secrets, and forgets that an origin is watched by
// somebody: nobody would tell it when the origin is back.
import t from 'tap'
import { GUIDANCE_UNHEARD_MS } from '../../edge/limits.ts'
import { GuidanceKeeper } from '../../edge/report/guidance-keeper.ts'
import { unheard } from '../../edge/report/unheard-guidance.ts'
import { backgroundRunner } from '../../src/background.ts'
import type { Guidance } from '../../src/wire/guidance.ts'
import { recordingLog } from '../kit/recording-log.ts'
import { StillClock } from '../kit/scheduler.ts'

const SAID: Guidance = {
  version: 'v1',
  site: 'north',
  secrets: [],
  edges: { 's-1': { url: 'http://s-1.example.com', weight: 1 } },
  chains: [{ properties: ['shows'], tiers: [{ kind: 'shield', edges: ['s-1'] }] }],
  origins: {
    gone: { state: 'down', share: 0, probed: true },
    back: { state: 'returning', share: 0.1, probed: true },
  },
}
const UNHEARD = { ...SAID, version: '', origins: { gone: { state: 'down', share: 0, probed: false } } }

t.test('of what was saved, and of what was heard a while ago', async (t) => {
  t.same(unheard(SAID), UNHEARD)
  t.same(unheard(unheard(SAID)), UNHEARD)

  const { log, lines } = recordingLog()
  const clock = new StillClock()
  const replaced: Guidance[] = []
  const holder = {
    get current() {
      return replaced.at(-1) ?? null
    },
    replace: (guidance: Guidance) => void replaced.push(guidance),
  }
  const background = backgroundRunner(log)
  const keeper = new GuidanceKeeper({ edgeId: 'n-1', holder, clock, log, background, directory: null })
  let fetched = 0
  const source = {
    async guidance(): Promise<unknown> {
      fetched++
      return SAID
    },
  }
  keeper.unheard()
  await keeper.hear('v1', source)
  clock.pass(GUIDANCE_UNHEARD_MS - 1)
  await keeper.hear('v1', source)
  clock.pass(GUIDANCE_UNHEARD_MS - 1)
  keeper.unheard()
  t.same(replaced, [SAID], 'one report that fails changes nothing')

  clock.pass(1)
  for (let failures = 0; failures < 3; failures++) keeper.unheard()
  t.same(replaced, [SAID, UNHEARD], 'once')
  t.match(lines, [{ msg: /^no scheduler is heard/ }])

  await keeper.hear('v1', source)
  t.same([replaced.length, replaced.at(-1), fetched], [3, SAID, 2], 'the same version is fetched anew')
})
