// The console at /console/ of the admin listener: a handful of files, read once when the scheduler starts. A path is looked
// up among them and never reaches the disk. A page added to the console has its file named here and in page/app.js.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { matchesEtag } from '../control/etag.ts'

const HTML = 'text/html; charset=utf-8'
const CSS = 'text/css; charset=utf-8'
const SCRIPT = 'text/javascript; charset=utf-8'

const FILES: readonly (readonly [path: string, type: string, file: URL])[] = [
  ['', HTML, new URL('./page/index.html', import.meta.url)],
  ['style.css', CSS, new URL('./page/style.css', import.meta.url)],
  ['icon.svg', 'image/svg+xml', new URL('./page/icon.svg', import.meta.url)],
  ['app.js', SCRIPT, new URL('./page/app.js', import.meta.url)],
  ['api.js', SCRIPT, new URL('./page/api.js', import.meta.url)],
  ['dom.js', SCRIPT, new URL('./page/dom.js', import.meta.url)],
  ['overview.js', SCRIPT, new URL('./page/overview.js', import.meta.url)],
  ['purges.js', SCRIPT, new URL('./page/purges.js', import.meta.url)],
  ['purge-form.js', SCRIPT, new URL('./page/purge-form.js', import.meta.url)],
]

/** Nothing inline, nothing from elsewhere, and in nobody's frame: a click there could purge. */
const FIELDS = {
  'Content-Security-Policy':
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  // Asked for each time, so that a new version's files are never mixed with an old one's.
  'Cache-Control': 'no-cache',
}

export function addConsoleRoutes(service: FastifyInstance): void {
  service.get('/console', async (_request, reply) => reply.redirect('/console/', 308))
  for (const [path, type, file] of FILES) {
    const body = readFileSync(file)
    const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"`
    service.get(`/console/${path}`, async (request, reply) => {
      reply.headers({ ...FIELDS, ETag: etag })
      if (matchesEtag(request.headers['if-none-match'], etag)) return reply.code(304).send()
      return reply.type(type).send(body)
    })
  }
}
