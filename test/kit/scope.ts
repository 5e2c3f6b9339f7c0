// What the kit needs of a tap test: a place to register what must be undone when the test ends.
// Handlers run last registered first, so whatever a test starts later is stopped sooner.

export interface TestScope {
  teardown(handler: () => unknown): unknown
}
