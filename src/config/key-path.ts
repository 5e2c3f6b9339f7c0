// Where a value stands in a configuration file: `edges[1].site`.

export type KeyPath = readonly (string | number)[]

const PLAIN_KEY = /^[A-Za-z_$<][\w$<-]*$/

/** As a person would write it; '' for the whole file. */
export function formatKeyPath(path: KeyPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (!PLAIN_KEY.test(step)) text += `[${JSON.stringify(step)}]`
    else text += text === '' ? step : `.${step}`
  }
  return text
}
