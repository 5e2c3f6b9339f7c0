// The parts of npm's http-cache-tests that test/kit/http-cache-suite.ts uses; the package has no types.
interface CacheTest {
  id: string
  name: string
  kind?: 'required' | 'optimal' | 'check'
  depends_on?: string[]
  browser_only?: boolean
  /** The runner prints what goes to and fro. */
  dump?: boolean
}

interface CacheTestSuite {
  id: string
  name: string
  tests: CacheTest[]
}

declare module 'http-cache-tests/tests/index.mjs' {
  const suites: CacheTestSuite[]
  export default suites
}
declare module 'http-cache-tests/tests/surrogate-control.mjs' {
  const suite: CacheTestSuite
  export default suite
}
declare module 'http-cache-tests/client/runner.mjs' {
  export function runTests(
    suites: readonly CacheTestSuite[],
    fetch: unknown,
    browserCache: boolean,
    base: string,
    chunkSize?: number,
  ): Promise<void>
  /** Test id → true, or the error's name and message. */
  export function getResults(): Record<string, true | [string, string]>
}
declare module 'http-cache-tests/server/handle-config.mjs' {
  const handle: (segments: string[], request: unknown, response: unknown) => void
  export default handle
}
declare module 'http-cache-tests/server/handle-state.mjs' {
  const handle: (segments: string[], request: unknown, response: unknown) => void
  export default handle
}
declare module 'http-cache-tests/server/handle-test.mjs' {
  const handle: (segments: string[], request: unknown, response: unknown) => void
  export default handle
}
declare module 'node-fetch' {
  const fetch: unknown
  export default fetch
}
