// `${NAME}` in the texts of a configuration file, so that secrets stay out of it. `$${` is a literal `${`.

export interface Replaced {
  text: string
  /** True when a variable went into the text: it may be a secret and is never printed. */
  used: boolean
  /** What is wrong with its references; the text is then useless. */
  problems: string[]
}

const REFERENCE = /\$(\$?)\{([^}]*)(\}?)/g
const NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

export function hasReference(text: string): boolean {
  return text.includes('${')
}

export function replaceReferences(text: string, env: NodeJS.ProcessEnv): Replaced {
  const problems: string[] = []
  let used = false
  const replaced = text.replace(REFERENCE, (whole, escaped: string, name: string, end: string) => {
    if (escaped !== '') return whole.slice(1)
    if (end === '' || !NAME.test(name)) {
      problems.push('has a broken reference: write ${NAME}, or $${ for a literal ${')
      return ''
    }
    const value = env[name]
    if (value === undefined) problems.push(`\${${name}} is not set in the environment`)
    used = true
    return value ?? ''
  })
  return { text: replaced, used, problems }
}

const NUMBER = /^(?:[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?|0o[0-7]+|0x[0-9a-fA-F]+)$/
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/

/** A text without quotes as the YAML core schema reads it: a number, a boolean, or itself. */
export function plainScalar(text: string): string | number | boolean {
  if (BOOLEAN.test(text)) return text.toLowerCase() === 'true'
  return NUMBER.test(text) ? Number(text) : text
}
