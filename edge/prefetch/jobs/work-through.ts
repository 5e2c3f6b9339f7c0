// Works through a pile of things, so many at once; each may put more on top of it. Resolves when nothing is left, rejects
// with the first that rejects, when all that had begun have ended.

export async function workThrough<T>(
  first: Iterable<T>,
  atOnce: number,
  work: (one: T, more: (things: readonly T[]) => void) => Promise<void>,
): Promise<void> {
  const pile: T[] = []
  const putOn = (things: readonly T[]) => {
    // The first of them is taken first.
    for (let i = things.length - 1; i >= 0; i--) {
      const thing = things[i]
      if (thing !== undefined) pile.push(thing)
    }
  }
  putOn([...first])
  const { promise, resolve } = Promise.withResolvers<void>()
  const failures: unknown[] = []
  let running = 0
  const go = () => {
    while (failures.length === 0 && running < atOnce) {
      const one = pile.pop()
      if (one === undefined) break
      running += 1
      work(one, putOn)
        .catch((error: unknown) => failures.push(error))
        .finally(ended)
    }
    if (running === 0) resolve()
  }
  const ended = () => {
    running -= 1
    go()
  }
  go()
  await promise
  if (failures.length > 0) throw failures[0]
}
