// The rollout of configurations over the admin listener: POST /api/v1/config/apply and …/rollback, GET /api/v1/config
// and /api/v1/config/versions.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Clock } from '../../src/clock.ts'
import type { Logger } from '../../src/log.ts'
import { refuse, refuseStrangers } from '../../src/own-machine.ts'
import { CONFIG_ANSWER_MS, configRollbackSchema } from '../../src/wire/config-rollout.ts'
import type { ConfigHistory, ConfigStatus } from '../../src/wire/config-rollout.ts'
import { edgeRollouts } from '../rollout/edge-rollout.ts'
import type { EdgeAcknowledgements } from '../rollout/edge-rollout.ts'
import { FileStates } from '../rollout/file-state.ts'
import { logResult, wordsOf } from '../rollout/rollout-result.ts'
import type { RolloutOutcome, RolloutResult } from '../rollout/rollout-result.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Running } from '../running-config.ts'

export interface ConfigRoutesDeps {
  readonly running: Running
  readonly rollout: Rollout
  readonly acknowledged: EdgeAcknowledgements
  readonly clock: Clock
  readonly log: Logger
}

const STATUS_OF: Record<RolloutOutcome, number> = {
  applied: 200,
  unchanged: 200,
  reread: 200,
  older: 409,
  restart: 409,
  invalid: 422,
  'unknown-version': 404,
  'not-kept': 503,
}

export function addConfigRoutes(service: FastifyInstance, deps: ConfigRoutesDeps): void {
  const { rollout, log } = deps
  const files = new FileStates(rollout.reader)
  const answer = (result: RolloutResult, reply: FastifyReply) => {
    logResult(log, result)
    const status = STATUS_OF[result.outcome]
    return status === 200 ? result : refuse(reply, status, result.outcome, wordsOf(result))
  }
  service.post('/api/v1/config/apply', { onRequest: refuseStrangers }, async (request, reply) => {
    takeTime(request)
    return answer(await rollout.apply('api'), reply)
  })
  service.post('/api/v1/config/rollback', { onRequest: refuseStrangers }, async (request, reply) => {
    const parsed = configRollbackSchema.safeParse(request.body)
    if (!parsed.success) return refuse(reply, 400, 'rollback', 'version: must be the number of a version')
    takeTime(request)
    return answer(await rollout.rollback(parsed.data.version), reply)
  })
  service.get('/api/v1/config/versions', async () => {
    return { versions: [...rollout.versions] } satisfies ConfigHistory
  })
  service.get('/api/v1/config', (request) => {
    takeTime(request)
    return statusOf(deps, files)
  })
}

/** The listener ends what is silent for longer than any other answer takes. */
function takeTime(request: FastifyRequest): void {
  request.raw.setTimeout(CONFIG_ANSWER_MS)
}

async function statusOf(
  { running, rollout, acknowledged, clock }: ConfigRoutesDeps,
  files: FileStates,
): Promise<ConfigStatus> {
  const kept = rollout.versions
  const { version, hash, sinceMs } = rollout.running
  const file = await files.look(hash, kept)
  const { snapshots, edgeConfig } = running.now
  return {
    running: version,
    sinceMs,
    refused: rollout.refused,
    file,
    edges: edgeRollouts(snapshots.current, edgeConfig.version, acknowledged, kept, clock.monotonic()),
  }
}
