// Sets or removes the override of an edge, and says in a line what became of it: for `drain` and `undrain`.
import { overrideReplySchema } from '../../wire/override.ts'
import type { OverrideKept, OverrideRequest } from '../../wire/override.ts'
import { askAdmin } from './admin-client.ts'

const KEPT: Record<OverrideKept, string> = {
  process: 'until this scheduler stops (it has no Redis)',
  store: 'on every scheduler',
  pending: 'on this scheduler; on the others as soon as Redis can be written',
}

/** `wanted` null: what was set is taken back. `done` are the words for it. */
export async function changeOverride(
  admin: string,
  edge: string,
  wanted: OverrideRequest | null,
  done: string,
): Promise<void> {
  const asked = wanted === null ? { method: 'DELETE' as const } : { method: 'PUT' as const, body: wanted }
  const path = `/api/v1/edges/${encodeURIComponent(edge)}/override`
  const { kept } = await askAdmin(admin, path, overrideReplySchema, asked)
  process.stdout.write(`${edge}: ${done}, ${KEPT[kept]}\n`)
}
