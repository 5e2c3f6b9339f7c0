// Referer and Origin of requests: the pages that link here, and those whose scripts ask.
import { rememberLast } from './access-request.ts'
import type { Subject } from './access-request.ts'
import { OPAQUE, parseWebAddress, showWebAddress } from './web-address.ts'
import type { WebAddress } from './web-address.ts'
import { compileWebPatterns } from './web-pattern.ts'

type PageSubject = Subject<WebAddress, string>

export const refererSubject: PageSubject = {
  read(request) {
    const field = request.header('referer')
    // about:blank is what a client without a page writes where it writes anything (RFC 9110 §10.1.3).
    return field === undefined || field === '' || field === 'about:blank' ? undefined : readReferer(field)
  },
  show: showWebAddress,
  absent: 'no Referer',
  unreadable: 'Referer cannot be read as the address of a page',
  compile: (entries, key) => compileWebPatterns(entries, 'referer', key),
}

export const originSubject: PageSubject = {
  read(request) {
    const field = request.header('origin')
    return field === undefined || field === '' ? undefined : readOrigin(field)
  },
  show: showWebAddress,
  absent: 'no Origin',
  unreadable: 'Origin cannot be read as an origin',
  compile: (entries, key) => compileWebPatterns(entries, 'origin', key),
}

const readReferer = rememberLast((field) => parseWebAddress(field) ?? null)

const readOrigin = rememberLast((field) => {
  if (field === 'null') return OPAQUE
  const page = parseWebAddress(field)
  return page === undefined || page.path !== '' ? null : page
})
