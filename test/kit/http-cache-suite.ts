// Runs the public HTTP cache test suite (npm http-cache-tests, the one of cache-tests.fyi) against an edge that
// stands in front of the suite's own origin.
import { createServer } from 'node:http'
import { runTests, getResults } from 'http-cache-tests/client/runner.mjs'
import handleConfig from 'http-cache-tests/server/handle-config.mjs'
import handleState from 'http-cache-tests/server/handle-state.mjs'
import handleTest from 'http-cache-tests/server/handle-test.mjs'
import publicSuites from 'http-cache-tests/tests/index.mjs'
import nodeFetch from 'node-fetch'
import { listen } from '../../src/net/listen.ts'
import { startEdge } from './edge.ts'
import type { TestEdge } from './edge.ts'
import type { TestScope } from './scope.ts'

export type Verdict = 'pass' | `fail: ${string}`

export interface SuiteResult {
  id: string
  kind: 'required' | 'optimal' | 'check'
  verdict: Verdict
}

/** As the suite is meant to be run: all methods pass, and the origin alone says what is fresh. */
export async function startEdgeForSuite(t: TestScope): Promise<TestEdge> {
  const server = createServer((request, response) => {
    const [, dispatch, ...segments] = new URL(request.url ?? '/', 'http://origin').pathname.split('/')
    if (dispatch === 'config') handleConfig(segments, request, response)
    else if (dispatch === 'state') handleState(segments, request, response)
    else handleTest(segments, request, response)
  })
  const port = await listen(server, { host: '127.0.0.1', port: 0 }, 'port')
  t.teardown(() => server.close())
  const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH', 'M-SEARCH']
  const property = {
    id: 'suite',
    hosts: ['*'],
    origins: [{ id: 'studio' }],
    methods,
    forward: 'all',
    cache: { setCookie: 'keep' },
    cors: { origins: [] },
  }
  return startEdge(t, { origin: `http://127.0.0.1:${port}`, properties: [property] })
}

/** Runs all tests, or the one named, which is then printed request by request. */
export async function runSuite(base: string, only?: string): Promise<SuiteResult[]> {
  const suites = publicSuites.map(({ id, name, tests }) => ({
    id,
    name,
    tests: tests.filter((test) => only === undefined || test.id === only),
  }))
  for (const suite of suites) for (const test of suite.tests) test.dump = only !== undefined
  await runTests(suites, nodeFetch, false, base)
  const results = getResults()
  return suites
    .flatMap((suite) => suite.tests)
    .filter((test) => test.browser_only !== true)
    .map(({ id, kind }) => {
      const result = results[id]
      const verdict: Verdict = result === true ? 'pass' : `fail: ${result?.join(': ') ?? 'not run'}`
      return { id, kind: kind ?? 'required', verdict }
    })
}
