// One edge and one origin for all tests of a file that only ask for objects: each test has a directory of its own at both,
// so that none meets what another has left. A test that ends an edge, or looks at all of it, starts its own.
import { startEdge } from './edge.ts'
import type { EdgeOptions } from './edge.ts'
import type { TestScope } from './scope.ts'
import { startOrigin } from './scripted-origin.ts'
import type { Script, ScriptedOrigin } from './scripted-origin.ts'

type OriginDirectory = Pick<ScriptedOrigin, 'on' | 'count' | 'requests' | 'asked' | 'paused' | 'resume'>

export interface SharedDirectory {
  /** Base URL of the directory at the edge. */
  readonly edge: { readonly url: string }
  /** The same at the origin; paths are those below it. */
  readonly origin: OriginDirectory
}

/** Gives what makes a new directory, with scripts for paths below it. */
export async function startSharedEdge(
  t: TestScope,
  options: Omit<EdgeOptions, 'origin'> = {},
): Promise<(scripts: Readonly<Record<string, Script>>) => SharedDirectory> {
  const origin = await startOrigin(t, {})
  const edge = await startEdge(t, { ...options, origin: origin.url })
  let directories = 0
  return (scripts) => {
    const base = `/d${++directories}`
    const below: OriginDirectory = {
      on: (path, script) => origin.on(base + path, script),
      count: (path) => origin.count(base + path),
      requests: (path) => origin.requests(base + path),
      asked: (path, count) => origin.asked(base + path, count),
      paused: (path) => origin.paused(base + path),
      resume: (path) => origin.resume(base + path),
    }
    for (const [path, script] of Object.entries(scripts)) below.on(path, script)
    return { edge: { url: edge.url + base }, origin: below }
  }
}
