// A steering decision for people: where the client is and how that is known, what each site would cost it, the edges
// of the sites that matter, and who won.
import type { Decision } from '../../wire/decision.ts'
import { candidateLines, holdLines, locatedLine } from './candidate-lines.ts'
import { paintOn, printable } from './screen.ts'
import type { Paint, Screen } from './screen.ts'

export function decisionPage(decision: Decision, all: boolean, screen: Screen): string {
  const paint = paintOn(screen)
  const { method, host, path, client, time, property, asset, location, holds, sites, chosen } = decision
  const winner = new Set(chosen === null ? [] : [chosen.edge])
  const candidates = candidateLines({ sites, chosen: winner }, all, paint)
  return [
    paint('bold', printable(`${method} ${host}${path ?? '/…'}`)),
    paint('dim', `from ${client ?? 'an unknown address (--client)'}, at ${time}`),
    '',
    ...(property === null ? [] : [`property  ${property}, asset ${printable(asset ?? '')}`]),
    ...(location === null ? [] : [locatedLine(location)]),
    ...holdLines(holds, paint),
    ...(candidates.length === 0 ? [] : ['', ...candidates]),
    '',
    conclusion(decision, paint),
    '',
  ].join('\n')
}

function conclusion({ chosen, outcome, denied, status }: Decision, paint: Paint): string {
  if (status >= 400) {
    const why = denied === null ? outcome : `denied: ${denied}`
    return paint(['bold', 'red'], `${status} ${why}`)
  }
  const where = chosen === null ? '' : ` to ${chosen.edge} at ${chosen.site}, ${chosen.url}`
  return paint(['bold', 'green'], `${status} ${outcome}${where}`)
}
