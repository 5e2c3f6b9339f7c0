// A configuration that cannot be used: every problem at once, each with its key path and line.

export interface ConfigProblem {
  /** Full key path as a person would write it: `properties[0].cache.defaultTtl`; '' for the whole file. */
  path: string
  /** 1-based line in the file; null when the file could not be read. */
  line: number | null
  message: string
}

export class ConfigError extends Error {
  readonly file: string
  readonly problems: readonly ConfigProblem[]

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(problems.map((problem) => formatProblem(file, problem)).join('\n'))
    this.name = 'ConfigError'
    this.file = file
    this.problems = problems
  }
}

/** `FILE:LINE: KEY: MESSAGE` */
export function formatProblem(file: string, problem: ConfigProblem): string {
  const place = problem.line === null ? file : `${file}:${problem.line}`
  return problem.path === ''
    ? `${place}: ${problem.message}`
    : `${place}: ${problem.path}: ${problem.message}`
}
