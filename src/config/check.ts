// What no schema sees: references between entries, duplicates, networks, colliding listeners and directories.
// Every check reads the raw values and skips what is of the wrong type; the schema reports that.
import path from 'node:path'
import { formatNetwork, networkProblem, parseNetwork } from '../net/ip.ts'
import type { ConfigProblem } from './config-error.ts'
import { plainName } from './dns-names.ts'
import { placeOf } from './finding.ts'
import { formatKeyPath } from './key-path.ts'
import type { KeyPath } from './key-path.ts'
import { entriesAt, textAt, textsAt, textsOfEntries, valueAt } from './raw.ts'
import type { Found } from './raw.ts'
import { didYouMean } from './suggest.ts'
import type { ConfigDocument } from './yaml-file.ts'

export function schedulerProblems(document: ConfigDocument): ConfigProblem[] {
  const { root } = document
  const check = new Checks(document)
  const sites = textsOfEntries(root, 'sites', 'id')
  check.unique(sites)
  for (const site of entriesAt(root, ['sites'])) {
    check.known('site', textsAt(root, [...site, 'parents']), sites)
    check.unique(textsAt(root, [...site, 'parents']))
  }
  check.unique(textsOfEntries(root, 'edges', 'id'))
  check.unique(textsOfEntries(root, 'edges', 'url'), plainUrl)
  check.known('site', textsOfEntries(root, 'edges', 'site'), sites)
  check.known('site', textAt(root, ['defaultSite']), sites)
  const coverage = entriesAt(root, ['sites']).flatMap((site) =>
    textsAt(root, [...site, 'coverage', 'networks']),
  )
  if (valueAt(root, ['scheduler', 'geoip', 'asn']) === undefined) {
    check.none(
      entriesAt(root, ['sites'])
        .map((site) => site.concat('coverage', 'asns'))
        .filter((at) => entriesAt(root, at).length > 0),
      'needs a database of networks by number: name one in scheduler.geoip.asn',
    )
  }
  const proxies = textsAt(root, ['scheduler', 'trustedProxies'])
  check.networks(coverage)
  check.networks(proxies)
  const edges = entriesAt(root, ['edges'])
  check.networks(edges.flatMap((edge) => textsAt(root, [...edge, 'pinned'])))
  const capabilities = edges.flatMap((edge) => textsAt(root, [...edge, 'capabilities']))
  for (const property of entriesAt(root, ['properties'])) {
    check.known('site', textsAt(root, [...property, 'sites']), sites)
    check.known('site', textAt(root, [...property, 'shield']), sites)
    for (const warm of entriesAt(root, [...property, 'warm'])) {
      check.known('site', textsAt(root, [...warm, 'sites']), sites)
    }
    for (const origin of entriesAt(root, [...property, 'origins']))
      check.known('site', textsAt(root, [...origin, 'sites']), sites)
    check.known('capability', textsAt(root, [...property, 'capabilities']), capabilities)
  }
  check.unique(coverage, plainNetwork)
  const listeners = ['steering', 'control', 'admin', 'dns'].map((name) => ['scheduler', name, 'listen'])
  check.listeners([...listeners, ...entriesAt(root, ['scheduler', 'dns', 'listen'])])
  checkDns(check, root)
  checkContent(check, root)
  return check.problems
}

export function edgeProblems(document: ConfigDocument): ConfigProblem[] {
  const { root } = document
  const check = new Checks(document)
  const directories = entriesAt(root, ['cache', 'directories'])
  check.unique(
    directories.flatMap((entry) => textAt(root, [...entry, 'path'])),
    path.normalize,
  )
  check.listeners([['listen'], ['admin']])
  checkContent(check, root)
  return check.problems
}

function checkDns(check: Checks, root: unknown): void {
  const dns = ['scheduler', 'dns']
  check.unique([...textAt(root, [...dns, 'zone']), ...textsAt(root, [...dns, 'zones'])], plainName)
  check.unique(textsAt(root, [...dns, 'nameservers']), plainName)
  check.networks(textsAt(root, [...dns, 'rateLimit', 'exempt']))
}

/** Origins and properties: the part both files share. */
function checkContent(check: Checks, root: unknown): void {
  const origins = textsOfEntries(root, 'origins', 'id')
  check.unique(origins)
  check.unique(textsOfEntries(root, 'properties', 'id'))
  const properties = entriesAt(root, ['properties'])
  check.unique(properties.flatMap((property) => textsAt(root, [...property, 'hosts'])))
  for (const property of properties) {
    const chosen = entriesAt(root, [...property, 'origins']).flatMap((entry) =>
      textAt(root, [...entry, 'id']),
    )
    check.unique(chosen)
    check.known('origin', chosen, origins)
  }
}

/** A URL with a password is refused by the schema, and never quoted here. */
function plainUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  return url.username === '' && url.password === '' ? url.href.replace(/\/+$/, '') : undefined
}

function plainNetwork(text: string): string | undefined {
  const network = parseNetwork(text)
  return network === undefined ? undefined : formatNetwork(network)
}

/** Collects problems about one document. */
class Checks {
  readonly problems: ConfigProblem[] = []
  readonly #document: ConfigDocument

  constructor(document: ConfigDocument) {
    this.#document = document
  }

  /** No two may be equal in their plain form; one that has none is not compared. */
  unique(found: readonly Found<string>[], plainForm: (text: string) => string | undefined = String): void {
    const first = new Map<string, KeyPath>()
    for (const { path: at, value } of found) {
      const plain = plainForm(value)
      if (plain === undefined) continue
      const earlier = first.get(plain)
      if (earlier === undefined) {
        first.set(plain, at)
        continue
      }
      this.#add(at, `${this.#quoted(at, value)} is also ${placeOf(earlier, this.#document)}`)
    }
  }

  known(kind: string, found: readonly Found<string>[], declared: readonly Found<string>[]): void {
    const ids = new Set(declared.map(({ value }) => value))
    const printable = declared.filter((one) => !this.#document.isFromEnvironment(one.path))
    for (const { path: at, value } of found) {
      if (ids.has(value)) continue
      const secret = this.#document.isFromEnvironment(at)
      const hint = secret
        ? ''
        : didYouMean(
            value,
            printable.map((one) => one.value),
          )
      this.#add(at, `names no ${kind} of this file: ${this.#quoted(at, value)}${hint}`)
    }
  }

  networks(found: readonly Found<string>[]): void {
    for (const { path: at, value } of found) {
      const problem = networkProblem(value)
      if (problem !== undefined) this.#add(at, `${this.#quoted(at, value)} ${problem}`)
    }
  }

  /** What may not be here, as things are. */
  none(paths: readonly KeyPath[], message: string): void {
    for (const at of paths) this.#add(at, message)
  }

  /** Two listeners on one port of one address; port 0 takes any that is free. */
  listeners(paths: readonly KeyPath[]): void {
    const fixed = paths
      .flatMap((at) => textAt(this.#document.root, at))
      .filter(({ value }) => !value.endsWith(':0'))
    this.unique(fixed)
  }

  #add(at: KeyPath, message: string): void {
    this.problems.push({ path: formatKeyPath(at), line: this.#document.lineOf(at), message })
  }

  #quoted(at: KeyPath, value: string): string {
    return this.#document.isFromEnvironment(at) ? 'the value from the environment' : JSON.stringify(value)
  }
}
