// One value of a daemon's metrics page.
import { get } from './client.ts'

/** `name` with its labels as they stand there, such as `edgeward_edge_sessions{property="all"}`. 0 when absent. */
export async function metricOf(admin: string, name: string): Promise<number> {
  const page = await get(`${admin}/metrics`)
  const line = page.text.split('\n').find((text) => text.startsWith(`${name} `))
  return line === undefined ? 0 : Number(line.slice(name.length + 1))
}
