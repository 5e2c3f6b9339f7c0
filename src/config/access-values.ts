// Scalars of the access, limit and callback settings.
import { z } from 'zod'
import { networkProblem } from '../net/ip.ts'

/** A text that is checked by who uses it; what is wrong with it is said in words that complete "it …". */
export function checkedText(problemOf: (text: string) => string | undefined) {
  return z.string().check((context) => {
    const problem = problemOf(context.value)
    if (problem !== undefined)
      context.issues.push({ code: 'custom', message: problem, input: context.value, continue: true })
  })
}

export const checkedNetwork = checkedText(networkProblem).meta({
  title: 'IP address or network',
  examples: ['192.0.2.0/24', '2001:db8::/32'],
})

export const country = z
  .string()
  .regex(/^[A-Z]{2}$/, 'must be an ISO 3166 code of two capitals')
  .meta({ title: 'country code', examples: ['CN'] })

export const pathPattern = z
  .string()
  .min(1)
  .max(256)
  // Each costs time for each character of a path.
  .refine((text) => text.split('*').length <= 17, 'must have at most 16 "*"')
  .meta({ title: 'path pattern', examples: ['*.m4s', '/live/**'] })

/** Never printed. Written as ${NAME} or ${file:PATH}. */
export const secret = z.string().min(8, 'must be at least 8 characters').max(8192).meta({ title: 'secret' })

export const parameterName = z
  .string()
  .regex(/^[A-Za-z0-9_.-]{1,64}$/, 'must be a parameter name of letters, digits, "_", "." and "-"')
  .meta({ title: 'parameter name', examples: ['auth_key'] })
