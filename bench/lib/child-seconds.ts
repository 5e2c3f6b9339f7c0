// Processor time of a command that a shell ran and then said `times`.

/** Of its last line, which is the children's: `0m1.234567s 0m0.123456s`, user and kernel. */
export function childSeconds(output: string): number {
  const times = output.trimEnd().split('\n').at(-1)?.split(' ') ?? []
  return times.reduce((sum, time) => {
    const [, minutes, seconds] = /^(\d+)m([\d.]+)s$/.exec(time) ?? []
    return sum + Number(minutes) * 60 + Number(seconds)
  }, 0)
}
