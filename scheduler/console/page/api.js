// What the pages ask of the admin listener that they came from.

/** What the API said, in its own words. */
export class ApiError extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

const ANSWER_WITHIN_MS = 8000

export async function ask(path, { body, signal } = {}) {
  const within = AbortSignal.timeout(ANSWER_WITHIN_MS)
  const reply = await fetch(`/api/v1/${path}`, {
    signal: signal === undefined ? within : AbortSignal.any([signal, within]),
    ...(body !== undefined && {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    }),
  })
  const answer = await reply.json()
  if (!reply.ok) throw new ApiError(reply.status, answer.message ?? `status ${reply.status}`)
  return answer
}

/** Looks, and looks again after a while, until the page is left. What went wrong is shown above it. */
export async function repeat(everyMs, signal, look) {
  const trouble = document.getElementById('trouble')
  while (!signal.aborted) {
    let problem = ''
    try {
      await look()
    } catch (error) {
      problem = error instanceof ApiError ? error.message : `The scheduler does not answer: ${error.message}`
    }
    if (signal.aborted) return
    if (trouble.textContent !== problem) trouble.textContent = problem
    trouble.hidden = problem === ''
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}
