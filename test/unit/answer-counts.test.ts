// What is counted of answers lies by place, side by side: of more properties than there was room for, and of another
// configuration that has others in their places.
import t from 'tap'
import { Registry } from 'prom-client'
import { AnswerCounts } from '../../scheduler/admin/answer-counts.ts'
import { buildTopology } from '../../scheduler/topology.ts'
import type { PropertyView } from '../../scheduler/topology.ts'
import { schedulerSettings } from '../kit/scheduler.ts'

function propertiesOf(ids: readonly string[]): readonly PropertyView[] {
  const properties = ids.map((id) => ({ id, hosts: [`${id}.example.com`], origins: [{ id: 'studio' }] }))
  return buildTopology(schedulerSettings({ properties })).allProperties
}

t.test('each property has its own counts, whichever place it has had', async (t) => {
  const registers = new Registry()
  const counts = new AnswerCounts(registers)
  const ids = Array.from({ length: 40 }, (_, i) => `p${i}`)
  const expected = new Map<string, number>()
  const say = (property: PropertyView | undefined, outcome: 'redirect' | 'denied', times: number) => {
    const line = `edgeward_scheduler_answers_total{outcome="${outcome}",property="${property?.id ?? ''}"}`
    expected.set(line, (expected.get(line) ?? 0) + times)
    for (let i = 0; i < times; i++) counts.count(outcome, property, undefined, 1e-6)
  }
  for (const [i, property] of propertiesOf(ids).entries()) {
    say(property, 'redirect', i + 1)
    if (i % 3 === 0) say(property, 'denied', 2)
  }
  say(undefined, 'denied', 5)
  for (const property of propertiesOf(ids.toReversed().slice(0, 20))) say(property, 'redirect', 3)
  for (const property of propertiesOf([...ids, 'later'])) say(property, 'redirect', 1)
  const lines = (await registers.metrics()).split('\n').filter((line) => line.includes('_answers_total{'))
  t.strictSame(lines.toSorted(), [...expected].map(([line, times]) => `${line} ${times}`).toSorted())
})
