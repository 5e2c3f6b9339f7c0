// What both daemons would decide about a request, stage by stage, and why. Each stage says what it found as rows; one
// that refuses ends the asking, and the rows of later ones say that they were not asked.
import { compileAccess } from '../../access/property-access.ts'
import type { PropertyAccess } from '../../access/property-access.ts'
import type { AccessRequest, Verdict } from '../../access/access-request.ts'
import { explainRules } from '../../access/judge-rules.ts'
import type { AccessRules } from '../../access/judge-rules.ts'
import { whereaboutsOf } from '../../geo/whereabouts.ts'
import { normalisePath } from '../../http/normal-path.ts'
import { formatIp } from '../../net/ip.ts'
import type { IpAddress } from '../../net/ip.ts'
import { buildPropertyIndex, hostNameOf, splitPrefix } from '../../property-index.ts'
import type { TokenQuery } from '../../token/token.ts'
import type { WireProperty } from '../../wire/edge-config.ts'
import type { Content } from './content.ts'
import { clientOf } from '../../inquiry.ts'
import type { Inquiry } from '../../inquiry.ts'

export interface Row {
  /** A key path, or what is judged before any key. */
  readonly step: string
  readonly rule: string | null
  readonly verdict: Verdict
  readonly detail: string
}

export interface Refusal {
  readonly status: number
  readonly reason: string
  readonly by: string
  readonly rule: string | null
}

export interface Judgement {
  readonly property: string | null
  /** With its `/~property` prefix, without token and query; null when no property says where a token would stand. */
  readonly shownPath: string | null
  readonly client: string | null
  readonly rows: readonly Row[]
  /** null: it is allowed. */
  readonly refusal: Refusal | null
}

interface Told {
  readonly rows: readonly Row[]
  readonly refusal: Refusal | null
}

export async function judgeInquiry(inquiry: Inquiry, content: Content): Promise<Judgement> {
  const client = clientOf(inquiry, content.trustedProxies)
  const address = client === undefined ? null : formatIp(client)
  const { propertyId, path: inner } = splitPrefix(inquiry.target)
  const index = buildPropertyIndex(content.properties)
  const property = propertyId === undefined ? index.findByHost(inquiry.host) : index.findById(propertyId)
  if (property === undefined) {
    const { rows, refusal } = noProperty(inquiry, propertyId)
    return { property: null, shownPath: null, client: address, rows, refusal }
  }
  const access = compileAccess(property, property.access)
  const query = tokenQuery(inquiry, inner, address)
  const target = access.tokens?.gate.take(query).target ?? inner
  const path = normalisePath(target.split('?', 1)[0] ?? '')
  const rows: Row[] = [foundProperty(property, inquiry, propertyId)]
  let refusal: Refusal | null = null
  const request = { inquiry, content, property, access, query, client, path }
  // In the order of both daemons. Where the client would be steered comes after them.
  for (const stage of [judgeMethod, judgePath, judgeRules, judgeToken]) {
    const told: Told = await stage(request, refusal === null)
    rows.push(...told.rows)
    refusal ??= told.refusal
  }
  const prefix = propertyId === undefined ? '' : `/~${propertyId}`
  const shownPath = path === null ? null : prefix + path
  return { property: property.id, shownPath, client: address, rows, refusal }
}

interface Staged {
  readonly inquiry: Inquiry
  readonly content: Content
  readonly property: WireProperty
  readonly access: PropertyAccess
  readonly query: TokenQuery
  readonly client: IpAddress | undefined
  readonly path: string | null
}

function noProperty({ host }: Inquiry, id: string | undefined): Told {
  const reason = id === undefined ? 'unknown_host' : 'unknown_property'
  const detail = id === undefined ? `no property has the host ${hostNameOf(host)}` : 'no property has this id'
  return refused('property', 404, reason, detail)
}

function foundProperty({ id }: WireProperty, { host }: Inquiry, prefix: string | undefined): Row {
  const by = prefix === undefined ? `the host ${hostNameOf(host)}` : `the prefix /~${id}/`
  return { step: 'property', rule: null, verdict: 'allow', detail: `${id}, by ${by}` }
}

function judgeMethod({ property, inquiry }: Staged, asked: boolean): Told {
  if (!asked) return notAsked('methods')
  const { method } = inquiry
  if (property.methods.includes(method)) return allowed('methods', `${method} is served`)
  const detail = `${method} is none of ${property.methods.join(', ')}`
  return refused('methods', 405, 'method_not_allowed', detail)
}

/** Says nothing of a path that is well formed. */
function judgePath({ path }: Staged, asked: boolean): Told {
  if (path !== null || !asked) return { rows: [], refusal: null }
  return refused('path', 400, 'bad_request', 'the path is not well formed')
}

async function judgeRules({ access, ...staged }: Staged, asked: boolean): Promise<Told> {
  const { rules } = access
  if (rules === null) return { rows: [], refusal: null }
  const request = await accessRequest(staged, rules)
  if (!asked) {
    const rows = rules.steps.flatMap((step) => step.explain(null))
    return { rows: rows.map(({ list, rule }) => row(list, 'not asked', '', rule)), refusal: null }
  }
  const { steps, denial } = explainRules(rules, request)
  return {
    rows: steps.map(({ list, rule, verdict, compared }) => row(list, verdict, compared, rule)),
    refusal: denial && { status: denial.status, reason: denial.reason, by: denial.list, rule: denial.rule },
  }
}

async function accessRequest(
  { inquiry, content, client, path }: Omit<Staged, 'access'>,
  rules: AccessRules,
): Promise<AccessRequest> {
  const places = rules.needsPlaces || rules.needsAsns ? await content.loadPlaces() : null
  const { place, asn } = whereaboutsOf(places, client)
  const { method, nowMs, header } = inquiry
  return { address: client, method, path: path ?? '', nowMs, header, place, asn }
}

async function judgeToken({ access, query, property }: Staged, asked: boolean): Promise<Told> {
  const { tokens } = access
  if (tokens === null) return { rows: [], refusal: null }
  const step = 'access.tokens'
  if (!asked) return notAsked(step)
  const scheme = property.access.tokens?.scheme ?? ''
  const presented = tokens.gate.take(query)
  // Without its grant, as its owner may have signed it.
  const judged = await tokens.gate.judge(presented, { ...query, target: presented.grant.target })
  if (judged.refusal !== null)
    return refused(step, judged.status, judged.refusal, `${scheme}: ${judged.refusal}`)
  const { admitted } = judged
  if (admitted === null) return allowed(step, 'the path needs no token')
  const what = admitted.grant === null ? `a token of ${scheme}` : `a grant in the ${admitted.grant.by}`
  const until = admitted.expiresMs === null ? 'without end' : `until ${isoOf(admitted.expiresMs)}`
  return allowed(step, `${what}, ${until}`)
}

function tokenQuery(inquiry: Inquiry, target: string, address: string | null): TokenQuery {
  const { scheme, host, method, nowMs, header } = inquiry
  return { target, scheme, host, method, address: address ?? '', nowMs, header }
}

function isoOf(ms: number): string {
  return new Date(ms).toISOString().replace(/\.000Z$/, 'Z')
}

function row(step: string, verdict: Verdict, detail: string, rule: string | null = null): Row {
  return { step, rule, verdict, detail }
}

function allowed(step: string, detail: string): Told {
  return { rows: [row(step, 'allow', detail)], refusal: null }
}

function notAsked(step: string): Told {
  return { rows: [row(step, 'not asked', '')], refusal: null }
}

function refused(step: string, status: number, reason: string, detail: string): Told {
  return { rows: [row(step, 'deny', detail)], refusal: { status, reason, by: step, rule: null } }
}
