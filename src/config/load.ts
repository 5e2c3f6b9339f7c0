// Configuration files to settings: everything is checked before anything is used. Throws ConfigError with
// every problem of the file, sorted by line. Called by the daemons and by `edgeward check`.
import path from 'node:path'
import type { z } from 'zod'
import { accessProblems } from './access-problems.ts'
import { edgeProblems, schedulerProblems } from './check.ts'
import { ConfigError } from './config-error.ts'
import { identityOf } from './config-identity.ts'
import type { ConfigProblem } from './config-error.ts'
import { coverageFrom, takeCoverageFiles } from './coverage-files.ts'
import type { ReadCoverage } from './coverage-files.ts'
import { dnsProblems } from './dns-problems.ts'
import { dnsWarnings } from './dns-warnings.ts'
import { edgeConfigOf } from './edge-config.ts'
import { takeOriginCertificates } from './origin-certificates.ts'
import { joinedEdgeSchema, standaloneEdgeSchema, undecidedEdgeSchema } from './edge-schema.ts'
import type { EdgeSettings, JoinedEdgeSettings, StandaloneEdgeSettings } from './edge-schema.ts'
import { ownPartOf, withOwnKeys } from './own-keys.ts'
import { valueAt } from './raw.ts'
import { applySchema } from './schema-problems.ts'
import type { TlsSettings } from './tls-schema.ts'
import { schedulerSchema } from './scheduler-schema.ts'
import { steeringProblems, steeringWarnings } from './steering-problems.ts'
import type { SchedulerSettings } from './scheduler-schema.ts'
import { tierProblems } from './tier-problems.ts'
import { parseConfigText, readConfigFile, readConfigText } from './yaml-file.ts'
import type { ConfigDocument } from './yaml-file.ts'

interface ConfigFile {
  /** As it was named. */
  file: string
  /** Absolute; relative paths in the settings have been resolved against it. */
  directory: string
}

export interface SchedulerConfig extends ConfigFile {
  settings: SchedulerSettings
  /** Changes exactly when something that edges need does. */
  version: string
  /** Worth a line in the log; nothing that stops a start. */
  warnings: readonly ConfigProblem[]
  source: ConfigSource
  /** The same for all that say the same for the cluster. */
  hash: string
  /** What is this scheduler's own in it (own-keys.ts). */
  own: unknown
}

/** What a scheduler's configuration was made from, references unresolved. */
export interface ConfigSource {
  readonly text: string
  /** Files of networks by the name that the text gives them. */
  readonly files: ReadonlyMap<string, Buffer>
}

/** Where a text stands in for its file: one that was kept, or another scheduler's. */
export interface LoadOptions {
  /** Left out: files of networks are read from the disk. */
  readonly read?: ReadCoverage
  /** Left out: the own keys are those of the text. */
  readonly own?: unknown
}

export type EdgeFileConfig = ConfigFile &
  (
    | { mode: 'joined'; settings: JoinedEdgeSettings }
    | { mode: 'standalone'; settings: StandaloneEdgeSettings }
  )

export type ConfigKind = 'scheduler' | 'edge'

export type AnyConfig = ({ kind: 'scheduler' } & SchedulerConfig) | ({ kind: 'edge' } & EdgeFileConfig)

export async function loadSchedulerConfig(file: string, env: NodeJS.ProcessEnv): Promise<SchedulerConfig> {
  return loadSchedulerText(file, await readConfigText(file), env)
}

/** Relative names in the text are meant from the file's directory. */
export async function loadSchedulerText(
  file: string,
  text: string,
  env: NodeJS.ProcessEnv,
  { read, own }: LoadOptions = {},
): Promise<SchedulerConfig> {
  const document = parseConfigText(file, text, env)
  refuseOtherKind(document, 'scheduler')
  return schedulerConfigOf(own === undefined ? document : withOwnKeys(document, own), text, read)
}

export async function loadEdgeConfig(file: string, env: NodeJS.ProcessEnv): Promise<EdgeFileConfig> {
  const document = await readConfigFile(file, env)
  refuseOtherKind(document, 'edge')
  return edgeFileConfigOf(document)
}

/** Either file, told apart by its content. */
export async function loadAnyConfig(file: string, env: NodeJS.ProcessEnv): Promise<AnyConfig> {
  const text = await readConfigText(file)
  const document = parseConfigText(file, text, env)
  return kindOf(document) === 'scheduler'
    ? { kind: 'scheduler', ...(await schedulerConfigOf(document, text)) }
    : { kind: 'edge', ...(await edgeFileConfigOf(document)) }
}

async function schedulerConfigOf(
  document: ConfigDocument,
  text: string,
  read?: ReadCoverage,
): Promise<SchedulerConfig> {
  const settings = checkedContent(document, schedulerSchema, schedulerProblems(document))
  const place = placeOf(document.file)
  const files = new Map<string, Buffer>()
  const readAndKeep = async (name: string) => {
    const found = await (read ?? coverageFrom(place.directory))(name)
    if (typeof found !== 'string') files.set(name, found)
    return found
  }
  const { problems: coverage, warnings } = await takeCoverageFiles(
    settings.sites,
    place.directory,
    document,
    readAndKeep,
  )
  const problems = [
    ...coverage,
    ...(await takeOriginCertificates(settings.origins, place.directory, document)),
  ]
  if (problems.length > 0) throw new ConfigError(document.file, inOrder(problems))
  resolveGeoipFiles(settings.scheduler.geoip, place.directory)
  const { steering } = settings.scheduler
  if (steering.tls !== undefined) steering.tls = withResolvedCertificates(steering.tls, place.directory)
  const { dnssec } = settings.scheduler.dns ?? {}
  if (dnssec !== undefined) dnssec.keys = dnssec.keys.map((file) => path.resolve(place.directory, file))
  const found = [...steeringWarnings(settings, document), ...dnsWarnings(settings, document)]
  return {
    ...place,
    settings,
    version: edgeConfigOf(settings).version,
    warnings: [...warnings, ...inOrder(found)],
    source: { text, files },
    hash: identityOf(document.unresolved(), files),
    own: ownPartOf(document.root),
  }
}

async function edgeFileConfigOf(document: ConfigDocument): Promise<EdgeFileConfig> {
  const place = placeOf(document.file)
  const found = edgeProblems(document)
  const mode = edgeModeOf(document)
  if (mode === 'joined') {
    const settings = checked(document, joinedEdgeSchema, found)
    return { ...place, mode, settings: withResolvedFiles(settings, place.directory) }
  }
  if (mode === 'standalone') {
    const settings = checkedContent(document, standaloneEdgeSchema, found)
    const problems = await takeOriginCertificates(settings.origins, place.directory, document)
    if (problems.length > 0) throw new ConfigError(document.file, inOrder(problems))
    return { ...place, mode, settings: withResolvedFiles(settings, place.directory) }
  }
  checked(document, undecidedEdgeSchema, [...found, mode])
  throw new ConfigError(document.file, [mode])
}

/** Throws all problems at once: the reader's, the schema's and those found between entries. */
function checked<T>(document: ConfigDocument, schema: z.ZodType<T>, found: readonly ConfigProblem[]): T {
  if (document.root === null)
    throw new ConfigError(document.file, [{ path: '', line: 1, message: 'is empty' }])
  const { settings, problems } = applySchema(schema, document)
  const all = [...document.problems, ...problems, ...found]
  if (settings === undefined || all.length > 0) throw new ConfigError(document.file, inOrder(all))
  return settings
}

/** The same, where the settings hold properties. */
function checkedContent<T extends SchedulerSettings | StandaloneEdgeSettings>(
  document: ConfigDocument,
  schema: z.ZodType<T>,
  found: readonly ConfigProblem[],
): T {
  const settings = checked(document, schema, found)
  const problems = accessProblems(settings.properties, document, asnFilesOf(settings))
  if ('scheduler' in settings)
    problems.push(
      ...steeringProblems(settings, document),
      ...tierProblems(settings, document),
      ...dnsProblems(settings, document),
    )
  if (problems.length > 0) throw new ConfigError(document.file, inOrder(problems))
  return settings
}

function asnFilesOf(settings: SchedulerSettings | StandaloneEdgeSettings): unknown {
  return 'geoip' in settings ? settings.geoip.asn : settings.scheduler.geoip.asn
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.toSorted((x, y) => (x.line ?? 0) - (y.line ?? 0) || x.path.localeCompare(y.path, 'en'))
}

function placeOf(file: string): ConfigFile {
  return { file, directory: path.dirname(path.resolve(file)) }
}

const STANDALONE_KEYS = ['properties', 'origins']
const JOINED_KEYS = ['scheduler', 'key']

/** The mode, or what is wrong when the file says both or neither. */
function edgeModeOf(document: ConfigDocument): 'joined' | 'standalone' | ConfigProblem {
  const keys = topLevelKeys(document)
  const standalone = STANDALONE_KEYS.filter((key) => keys.includes(key))
  const joined = JOINED_KEYS.filter((key) => keys.includes(key))
  if (standalone.length > 0 && joined.length === 0) return 'standalone'
  if (joined.length > 0 && standalone.length === 0) return 'joined'
  const choice = 'an edge either joins a cluster (scheduler, key) or stands alone (origins, properties)'
  if (joined.length === 0) return { path: '', line: 1, message: `${choice}; this file has neither` }
  const line = document.keyLineOf([standalone[0] ?? ''])
  return { path: '', line, message: `${choice}; this file has ${[...joined, ...standalone].join(' and ')}` }
}

const ONLY_IN: Record<ConfigKind, readonly string[]> = {
  scheduler: ['cluster', 'defaultSite', 'sites', 'edges'],
  edge: ['id', 'listen', 'admin', 'cache', 'key', 'accessLog', 'drain'],
}

/** How many keys at the top speak for each kind. */
function kindScores(document: ConfigDocument): Record<ConfigKind, number> {
  const keys = topLevelKeys(document)
  const score = (kind: ConfigKind) => ONLY_IN[kind].filter((key) => keys.includes(key)).length
  const scheduler = valueAt(document.root, ['scheduler'])
  const isMapping = typeof scheduler === 'object' && scheduler !== null && !Array.isArray(scheduler)
  return {
    scheduler: score('scheduler') + (isMapping ? 1 : 0),
    edge: score('edge') + (Array.isArray(scheduler) ? 1 : 0),
  }
}

/** By content; by the file's name when the content does not tell. */
function kindOf(document: ConfigDocument): ConfigKind {
  const scores = kindScores(document)
  if (scores.scheduler !== scores.edge) return scores.scheduler > scores.edge ? 'scheduler' : 'edge'
  return path.basename(document.file).startsWith('edge.') ? 'edge' : 'scheduler'
}

/** The wrong file altogether deserves one clear word, not a list of unknown keys. */
function refuseOtherKind(document: ConfigDocument, wanted: ConfigKind): void {
  const scores = kindScores(document)
  const other = wanted === 'scheduler' ? 'edge' : 'scheduler'
  if (scores[wanted] > 0 || scores[other] === 0) return
  const names = { scheduler: 'a scheduler (edgeward.yaml)', edge: 'an edge (edge.yaml)' }
  const message = `this file is for ${names[other]}; ${names[wanted]} was expected`
  throw new ConfigError(document.file, [{ path: '', line: 1, message }])
}

function topLevelKeys(document: ConfigDocument): string[] {
  const { root } = document
  return typeof root === 'object' && root !== null && !Array.isArray(root) ? Object.keys(root) : []
}

function withResolvedFiles<T extends EdgeSettings>(settings: T, directory: string): T {
  const directories = settings.cache.directories.map((entry) => ({
    ...entry,
    path: path.resolve(directory, entry.path),
  }))
  resolveGeoipFiles(settings.geoip, directory)
  return {
    ...settings,
    cache: { ...settings.cache, directories },
    ...(settings.tls === undefined ? {} : { tls: withResolvedCertificates(settings.tls, directory) }),
  }
}

type FileNames = string | string[] | undefined

function resolveGeoipFiles(
  geoip: { city?: FileNames; country?: FileNames; asn?: FileNames },
  directory: string,
): void {
  const resolved = (files: string | string[]) =>
    Array.isArray(files) ? files.map((file) => path.resolve(directory, file)) : path.resolve(directory, files)
  if (geoip.city !== undefined) geoip.city = resolved(geoip.city)
  if (geoip.country !== undefined) geoip.country = resolved(geoip.country)
  if (geoip.asn !== undefined) geoip.asn = resolved(geoip.asn)
}

function withResolvedCertificates(tls: TlsSettings, directory: string): TlsSettings {
  const certificates = tls.certificates.map(({ certificate, key }) => ({
    certificate: path.resolve(directory, certificate),
    key: path.resolve(directory, key),
  }))
  return { ...tls, certificates }
}
