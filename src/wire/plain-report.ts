// The reports that edgeReportSchema takes, told in one pass: schedulers are sent a thousand a second, and the schema
// takes longer over one than all the rest that is done with it. What it is not sure of, the schema decides.
// test/property/plain-report.test.ts holds the two together.
import {
  CONFIG_REASON_CHARS_MAX,
  DIRECTORY_CHARS_MAX,
  DIRECTORY_PATH,
  REPORTED_DIRECTORIES_MAX,
  REPORTED_ORIGINS_MAX,
  REPORTED_PROPERTIES_MAX,
} from './report.ts'
import type { BusyDirectory, ConfigRefusal, EdgeReport, OriginOutcomes, PropertyRate } from './report.ts'

/** What may be in one's place as it came: JSON tells nothing of types. */
type Unchecked<T> = { readonly [K in keyof T]: unknown }

const KEYS = 14

/** `value` as JSON.parse gives it. True: the schema would give it back as it is. */
export function isPlainReport(value: unknown): value is EdgeReport {
  if (!isUnchecked<EdgeReport>(value)) return false
  const { configRefused, origins } = value
  const optional = (configRefused === undefined ? 0 : 1) + (origins === undefined ? 0 : 1)
  return (
    isText(value.id, 1, 64) &&
    isText(value.instance, 1, 64) &&
    (value.state === 'up' || value.state === 'degraded' || value.state === 'draining') &&
    isText(value.version, 0, 64) &&
    isText(value.configVersion, 0, 128) &&
    (configRefused === undefined || isConfigRefusal(configRefused)) &&
    isAmount(value.uptimeMs) &&
    isCount(value.connections) &&
    isAmount(value.requestRate) &&
    isAmount(value.sentBitRate) &&
    (value.hitRatio === null || (isAmount(value.hitRatio) && value.hitRatio <= 1)) &&
    isCount(value.memoryBytes) &&
    isCount(value.diskBytes) &&
    isListOf(value.directories, REPORTED_DIRECTORIES_MAX, isBusyDirectory) &&
    isListOf(value.properties, REPORTED_PROPERTIES_MAX, isPropertyRate) &&
    (origins === undefined || isListOf(origins, REPORTED_ORIGINS_MAX, isOriginOutcomes)) &&
    hasKeys(value, KEYS + optional)
  )
}

function isConfigRefusal(value: unknown): boolean {
  if (!isUnchecked<ConfigRefusal>(value)) return false
  return (
    isText(value.version, 0, 128) && isText(value.reason, 0, CONFIG_REASON_CHARS_MAX) && hasKeys(value, 2)
  )
}

function isBusyDirectory(value: unknown): boolean {
  if (!isUnchecked<BusyDirectory>(value)) return false
  const { property, path, bitRate } = value
  if (!isText(property, 1, 64) || !isText(path, 1, DIRECTORY_CHARS_MAX)) return false
  return DIRECTORY_PATH.test(path) && isAmount(bitRate) && hasKeys(value, 3)
}

function isPropertyRate(value: unknown): boolean {
  if (!isUnchecked<PropertyRate>(value)) return false
  return isText(value.id, 1, 64) && isAmount(value.bitRate) && hasKeys(value, 2)
}

function isOriginOutcomes(value: unknown): boolean {
  if (!isUnchecked<OriginOutcomes>(value)) return false
  const { id, ok, failed, open } = value
  if (!isText(id, 1, 64) || !isCount(ok) || !isCount(failed)) return false
  return open === undefined ? hasKeys(value, 3) : open === true && hasKeys(value, 4)
}

function isUnchecked<T>(value: unknown): value is Unchecked<T> {
  return typeof value === 'object' && value !== null
}

function isText(value: unknown, min: number, max: number): value is string {
  return typeof value === 'string' && value.length >= min && value.length <= max
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < Infinity
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && isAmount(value)
}

function isListOf(value: unknown, max: number, isOne: (item: unknown) => boolean): boolean {
  if (!Array.isArray(value) || value.length > max) return false
  for (const item of value) if (!isOne(item)) return false
  return true
}

/** So many and no more: those that were looked at. */
function hasKeys(value: object, count: number): boolean {
  let found = 0
  for (const _ in value) found += 1
  return found === count
}
