// What each edge reported of its origins within the last seconds, wherever its reports arrived. Each report counts once.
import type { EdgeReport, OriginOutcomes } from '../../src/wire/report.ts'
import type { SeenReport } from '../registry/registry.ts'
import type { EdgeView } from '../topology.ts'
import type { EdgesView } from './edges-word.ts'
import { OUTCOMES_PER_EDGE_MAX, OUTCOMES_WINDOW_MS } from './limits.ts'

interface Heard {
  readonly atMs: number
  readonly outcomes: readonly OriginOutcomes[]
}

export class RecentOutcomes {
  readonly #edges: readonly EdgeView[]
  /** By `EdgeView.index`: the newest last. */
  readonly #heard: Heard[][]
  readonly #last: (EdgeReport | undefined)[]
  /** By id: when a failure of it was heard of last. Bounded by the origins of the topology. */
  readonly #failedAtMs = new Map<string, number>()

  /** `origins`: ids; of others nothing is kept. */
  constructor(edges: readonly EdgeView[], origins: readonly string[]) {
    this.#edges = edges
    this.#heard = edges.map(() => [])
    this.#last = edges.map(() => undefined)
    for (const id of origins) this.#failedAtMs.set(id, -Infinity)
  }

  /** `reports` by `EdgeView.index`. Gives whether any of the new ones tells of an origin. */
  take(reports: readonly (SeenReport | undefined)[]): boolean {
    let isNews = false
    for (let i = 0; i < reports.length; i++) {
      const seen = reports[i]
      if (seen === undefined || seen.report === this.#last[i]) continue
      this.#last[i] = seen.report
      const { origins: outcomes } = seen.report
      if (outcomes === undefined || outcomes.length === 0) continue
      isNews = true
      this.#keep(i, { atMs: seen.receivedAtMs, outcomes })
    }
    return isNews
  }

  hasFailures(origin: string, nowMs: number): boolean {
    return nowMs - (this.#failedAtMs.get(origin) ?? -Infinity) <= OUTCOMES_WINDOW_MS
  }

  /** A look at all edges: for origins that are in doubt, and for people. */
  viewOf(origin: string, nowMs: number): EdgesView {
    const sites = new Set<string>()
    const view = { edges: 0, failing: 0, ok: 0, failed: 0 }
    for (const [i, heard] of this.#heard.entries()) {
      // By the newest report that tells: before a failure there may have been successes within the same second.
      let word: 'serving' | 'failing' | null = null
      for (const { atMs, outcomes } of heard) {
        if (nowMs - atMs > OUTCOMES_WINDOW_MS) continue
        for (const { id, ok, failed, open } of outcomes) {
          if (id !== origin || (ok + failed === 0 && open !== true)) continue
          view.ok += ok
          view.failed += failed
          word = open === true || ok === 0 ? 'failing' : 'serving'
        }
      }
      if (word !== null) view.edges += 1
      if (word !== 'failing') continue
      view.failing += 1
      sites.add(this.#edges[i]?.siteId ?? '')
    }
    return { ...view, failingSites: sites.size }
  }

  #keep(index: number, heard: Heard): void {
    const kept = this.#heard[index]
    if (kept === undefined) return
    for (const { id, failed } of heard.outcomes) {
      const known = this.#failedAtMs.get(id)
      if (failed > 0 && known !== undefined) this.#failedAtMs.set(id, Math.max(known, heard.atMs))
    }
    kept.push(heard)
    const overAtMs = heard.atMs - OUTCOMES_WINDOW_MS
    while (kept.length > OUTCOMES_PER_EDGE_MAX || (kept[0]?.atMs ?? overAtMs) < overAtMs) kept.shift()
  }
}
