// What was purged, as rules that objects are held against when they are looked up: no purge reads the disk. An object
// carries the count as of which it was asked for; a rule that is newer and names it makes it gone or stale. Counts only
// grow, also over restarts. Bounded: what does not fit becomes a purge of the whole property, never less.
import { PURGE_RULES_MAX, PURGE_WILDCARDS_MAX } from '../limits.ts'
import type { Purge } from '../../src/wire/events.ts'
import { compilePathPattern } from '../../src/path-pattern.ts'
import type { PathMatcher } from '../../src/path-pattern.ts'
import { MarkMap, mark, verdictOf, worse } from './purge-marks.ts'
import type { PurgeMarks, PurgeVerdict } from './purge-marks.ts'

export interface PurgedTarget {
  readonly property: string
  /** Normalised, without query. */
  readonly path: string
  /** Primary cache key. */
  readonly key: string
}

interface Wildcard {
  readonly text: string
  readonly matches: PathMatcher
  readonly marks: PurgeMarks
}

/** Of one property. */
interface PropertyRules {
  readonly whole: PurgeMarks
  readonly urls: MarkMap
  readonly prefixes: MarkMap
  /** Of the prefixes, each once. */
  readonly prefixLengths: Set<number>
  readonly tags: MarkMap
  wildcards: Wildcard[]
}

/** What a rule names, with its count; for the journal. */
export interface CountedPurge {
  readonly count: number
  readonly purge: Purge
}

export class PurgeRules {
  /** That of the latest purge; what is asked for now is as of it. */
  count = 0
  readonly #everything: PurgeMarks = { hard: 0, soft: 0 }
  readonly #properties = new Map<string, PropertyRules>()

  /**
   * The count of the next purge. Time itself where that is later: should the counts of an earlier life be lost, objects
   * of then are still older than a purge of now.
   */
  nextCount(nowMs: number): number {
    return Math.max(this.count + 1, Math.floor(nowMs))
  }

  /** `keyOf` gives the primary cache key of a URL. Of every property: only by property or all. */
  apply({ count, purge }: CountedPurge, keyOf: (property: string, url: string) => string | null): void {
    this.count = Math.max(this.count, count)
    const { property, scope, value, soft } = purge
    if (property === null || scope === 'all') {
      mark(this.#everything, soft, count)
      return
    }
    const rules = this.#rulesOf(property)
    if (scope === 'property') mark(rules.whole, soft, count)
    else if (scope === 'wildcard') addWildcard(rules, value, soft, count)
    else if (scope === 'url') {
      const key = keyOf(property, value)
      // What was purged hard by its URL has been removed too: what could still come of it is asked for again.
      const left = key === null ? null : rules.urls.mark(key, soft, count)
      if (left !== null) mark(rules.whole, true, Math.max(left.hard, left.soft))
    } else if (scope === 'tag') fold(rules, rules.tags.mark(value, soft, count))
    else markPrefix(rules, value, soft, count)
  }

  /** How many marks there are. */
  get size(): number {
    let size = 1
    for (const { urls, prefixes, tags, wildcards } of this.#properties.values()) {
      size += 1 + urls.size + prefixes.size + tags.size + wildcards.length
    }
    return size
  }

  /** Of an object that was asked for as of that count. */
  verdictOf(target: PurgedTarget, tags: readonly string[], asOf: number): PurgeVerdict {
    if (asOf >= this.count) return 'valid'
    let verdict = verdictOf(this.#everything, asOf)
    const rules = this.#properties.get(target.property)
    if (rules === undefined) return verdict
    verdict = worse(verdict, this.#byPlace(rules, target, asOf))
    for (const tag of tags) verdict = worse(verdict, rules.tags.verdictOf(tag, asOf))
    return verdict
  }

  /** Whether what was asked for as of that count, and of which no tags are known yet, may have been purged since. */
  mayConcern(target: PurgedTarget, asOf: number): boolean {
    if (asOf >= this.count) return false
    if (verdictOf(this.#everything, asOf) !== 'valid') return true
    const rules = this.#properties.get(target.property)
    if (rules === undefined) return false
    return rules.tags.newest > asOf || this.#byPlace(rules, target, asOf) !== 'valid'
  }

  /** Rules that say the same as all that was applied. */
  *entries(): Generator<CountedPurge> {
    yield* purgesOf(this.#everything, { property: null, scope: 'all', value: '' })
    for (const [property, rules] of this.#properties) {
      yield* purgesOf(rules.whole, { property, scope: 'property', value: '' })
      for (const { text, marks } of rules.wildcards) {
        yield* purgesOf(marks, { property, scope: 'wildcard', value: text })
      }
      for (const scope of ['prefix', 'tag'] as const) {
        const map = scope === 'prefix' ? rules.prefixes : rules.tags
        for (const [value, marks] of map.entries()) yield* purgesOf(marks, { property, scope, value })
      }
      for (const [key, marks] of rules.urls.entries()) {
        yield* purgesOf(marks, { property, scope: 'url', value: key.slice(property.length + 1) })
      }
    }
  }

  #byPlace(rules: PropertyRules, { path, key }: PurgedTarget, asOf: number): PurgeVerdict {
    let verdict = worse(verdictOf(rules.whole, asOf), rules.urls.verdictOf(key, asOf))
    if (rules.prefixes.newest > asOf) {
      for (const length of rules.prefixLengths) {
        if (length <= path.length)
          verdict = worse(verdict, rules.prefixes.verdictOf(path.slice(0, length), asOf))
      }
    }
    for (const { matches, marks } of rules.wildcards) {
      const its = verdictOf(marks, asOf)
      if (its !== 'valid' && matches(path)) verdict = worse(verdict, its)
    }
    return verdict
  }

  #rulesOf(property: string): PropertyRules {
    const known = this.#properties.get(property)
    if (known !== undefined) return known
    const rules: PropertyRules = {
      whole: { hard: 0, soft: 0 },
      urls: new MarkMap(PURGE_RULES_MAX),
      prefixes: new MarkMap(PURGE_RULES_MAX),
      prefixLengths: new Set(),
      tags: new MarkMap(PURGE_RULES_MAX),
      wildcards: [],
    }
    this.#properties.set(property, rules)
    return rules
  }
}

function addWildcard(rules: PropertyRules, text: string, soft: boolean, count: number): void {
  const known = rules.wildcards.find((wildcard) => wildcard.text === text)
  const wildcard = known ?? { text, matches: compilePathPattern(text), marks: { hard: 0, soft: 0 } }
  mark(wildcard.marks, soft, count)
  rules.wildcards = [...rules.wildcards.filter((one) => one !== wildcard), wildcard]
  if (rules.wildcards.length > PURGE_WILDCARDS_MAX) fold(rules, rules.wildcards.shift()?.marks ?? null)
}

function markPrefix(rules: PropertyRules, value: string, soft: boolean, count: number): void {
  const left = rules.prefixes.mark(value, soft, count)
  rules.prefixLengths.add(value.length)
  if (left === null) return
  fold(rules, left)
  rules.prefixLengths.clear()
  for (const [prefix] of rules.prefixes.entries()) rules.prefixLengths.add(prefix.length)
}

function fold({ whole }: PropertyRules, marks: PurgeMarks | null): void {
  if (marks === null) return
  mark(whole, false, marks.hard)
  mark(whole, true, marks.soft)
}

function* purgesOf({ hard, soft }: PurgeMarks, named: Omit<Purge, 'soft'>): Generator<CountedPurge> {
  if (hard > 0) yield { count: hard, purge: { ...named, soft: false } }
  if (soft > hard) yield { count: soft, purge: { ...named, soft: true } }
}
