// A temporary directory that goes away with the test.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestScope } from './scope.ts'

export async function tempDirectory(t: TestScope): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'edgeward-test-'))
  t.teardown(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }))
  return directory
}
