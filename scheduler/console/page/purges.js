// Purges: the form, one purge with each edge's acknowledgement as it arrives (#/purges/ID), and the latest.
import { ask, repeat } from './api.js'
import { h, show, state, table } from './dom.js'
import { purgeForm } from './purge-form.js'

export const id = 'purges'
export const title = 'Purge'

const EDGES = [{ name: 'Edge' }, { name: 'State' }, { name: 'Applied after', number: true }]
const PURGES = [
  { name: 'Purge' },
  { name: 'What' },
  { name: 'Mode' },
  { name: 'Applied', number: true },
  { name: 'When', number: true },
]

export function open(place, shown, signal) {
  const form = h('div')
  const detail = h('section', { 'aria-label': 'The purge' })
  // Apart from the table, so that what is read out is one line and not each cell.
  const word = h('p', { role: 'status', class: 'summary' })
  const latest = h('section', { 'aria-label': 'Latest purges' })
  place.append(h('h1', {}, title), form, word, detail, latest)
  void repeat(1000, signal, async () => {
    const [status, { purges }] = await Promise.all(['status', 'purges'].map((path) => ask(path, { signal })))
    document.getElementById('cluster').textContent = status.cluster
    if (form.childElementCount === 0) {
      form.append(purgeForm(status.properties, (made) => (location.hash = `#/purges/${made}`)))
    }
    show(latest, latestTable(purges, shown))
  })
  if (shown !== '') {
    void repeat(250, signal, async () => {
      const purge = await ask(`purges/${encodeURIComponent(shown)}`, { signal })
      const summary = summaryOf(purge)
      if (word.textContent !== summary) word.textContent = summary
      show(detail, edgesTable(purge))
    })
  }
}

function edgesTable({ id: purge, edges }) {
  const rows = edges.map(({ id: edge, state: known, tookMs }) => [
    edge,
    state(known),
    tookMs === null ? h('span', { class: 'waiting' }, 'waiting') : `${tookMs.toLocaleString('en')} ms`,
  ])
  return table(purge, EDGES, rows)
}

function summaryOf({ purge, edges }) {
  const applied = edges.filter(({ tookMs }) => tookMs !== null).length
  return `${whatOf(purge)}: applied at ${applied} of ${edges.length} edges`
}

function latestTable(purges, shown) {
  if (purges.length === 0) return h('p', { class: 'empty' }, 'Nothing has been purged of late.')
  const rows = purges.map(({ id: one, atMs, purge, applied, edges }) => [
    h('a', { href: `#/purges/${one}`, 'aria-current': one === shown ? 'true' : null }, one),
    h('span', { class: 'what' }, whatOf(purge)),
    purge.soft ? 'soft' : 'hard',
    `${applied} of ${edges}`,
    new Date(atMs).toLocaleString(),
  ])
  return table('Latest purges', PURGES, rows)
}

function whatOf({ property, scope, value }) {
  if (scope === 'all') return 'everything'
  return scope === 'property' ? `all of ${property}` : `${property} ${scope} ${value}`
}
