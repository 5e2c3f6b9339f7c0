// The console at /console/: purges by its form with each edge's acknowledgement, refusals in words, and who is kept out.
import t from 'tap'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { startCluster } from '../kit/cluster.ts'
import { get } from '../kit/client.ts'
import { startOrigin } from '../kit/scripted-origin.ts'
import type { TestScope } from '../kit/scope.ts'
import { until } from '../kit/until.ts'
import { launchBrowser } from './browser.ts'

t.setTimeout(280_000)

const browser = await launchBrowser(t)

async function startConsole(t: TestScope) {
  const origin = await startOrigin(t, {})
  const cluster = await startCluster(t, {
    origin: origin.url,
    sites: { guangzhou: { edges: ['gz-1', 'gz-2'] } },
  })
  return { cluster, url: `${cluster.admin}/console/` }
}

t.test('purges by the form, and shows who has applied it, who waits, and why not', async (t) => {
  const { cluster, url } = await startConsole(t)
  await cluster.edge('gz-2').stop('SIGKILL')
  await until('it is down', async () => (await cluster.states()).get('gz-2') === 'down')
  const page = await browser.newPage()
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(error.message))
  page.on('console', (line) => line.type() === 'error' && failures.push(line.text()))
  await page.goto(url)
  await page.getByRole('row', { name: /^gz-1 up/ }).waitFor()
  await page.getByRole('row', { name: /^gz-2 down/ }).waitFor()

  await page.getByRole('link', { name: 'Purge', exact: true }).click()
  await page.getByLabel('URL', { exact: true }).fill('https://shows.example.com/ep1/main.m3u8')
  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('status').getByText('applied at 1 of 2 edges').waitFor()
  await page.getByRole('row', { name: /^gz-1 up [\d,]+ ms$/ }).waitFor()
  await page.getByRole('row', { name: /^gz-2 down waiting$/ }).waitFor()
  t.match(page.url(), /#\/purges\/\d+-\d+$/)
  t.same(failures, [], 'nothing that the policy refuses')

  await page.getByLabel('URL', { exact: true }).fill('https://other.example.com/')
  await page.getByRole('button', { name: 'Purge' }).click()
  await page
    .getByRole('alert')
    .getByText('no property of this cluster has the host "other.example.com"')
    .waitFor()
  t.equal(await page.getByLabel('URL', { exact: true }).getAttribute('aria-invalid'), 'true')

  await page.getByLabel('What').selectOption('Everything')
  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  t.equal(await page.getByText('everything', { exact: true }).count(), 0, 'asked again, and not purged')
  await page.getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Purge' }).click()
  await page.getByRole('status').getByText('everything: applied at 1 of 2 edges').waitFor()
})

t.test('a page of another origin purges nothing; the files are those there are', async (t) => {
  const { cluster, url } = await startConsole(t)
  const purges = `${cluster.admin}/api/v1/purges`
  const host = new URL(purges).host
  const port = new URL(purges).port
  const refused: Record<string, string>[] = [
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: 'http://127.0.0.1:1' },
    { Origin: `http://${host}`, 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-origin' },
    // A name that was made to resolve to loopback.
    { Host: `evil.example:${port}`, Origin: `http://evil.example:${port}` },
    { Host: `127.0.0.1.evil.example:${port}`, Origin: `http://127.0.0.1.evil.example:${port}` },
  ]
  for (const headers of refused) t.equal(await statusOf(purges, headers), 403, JSON.stringify(headers))
  // At the end of a tunnel.
  t.equal(await statusOf(purges, { Host: 'localhost:9000', Origin: 'http://localhost:9000' }), 200)

  const stranger = createServer((_request, reply) => reply.setHeader('Content-Type', 'text/html').end('<p>'))
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve))
  t.teardown(() => stranger.close())
  const page = await browser.newPage()
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's
  await page.goto(`http://127.0.0.1:${(stranger.address() as AddressInfo).port}/`)
  const before = (await get(purges)).text
  for (const mode of ['cors', 'no-cors']) {
    await page.evaluate(
      `fetch(${JSON.stringify(purges)}, { method: 'POST', mode: '${mode}', body: '{"all":true}' }).catch(() => {})`,
    )
  }
  t.equal((await get(purges)).text, before, 'Chromium sent it, and nothing was purged')

  const index = await get(url)
  t.match(index.headers, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': /^default-src 'self';.*frame-ancestors 'none'/,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-cache',
  })
  t.equal((await get(`${url}app.js`)).headers['content-type'], 'text/javascript; charset=utf-8')
  const etag = String(index.headers['etag'])
  t.equal((await get(url, { headers: { 'If-None-Match': etag } })).status, 304)
  for (const path of ['none.js', '../edgeward.yaml', '%2e%2e/console-routes.ts', 'page/app.js', 'app.js/']) {
    t.equal((await get(url + path)).status, 404, path)
  }
})

/** By node:http: fetch does not let its Host be chosen. */
async function statusOf(url: string, headers: Record<string, string>): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const fields = { 'Content-Type': 'application/json', ...headers }
  request(url, { method: 'POST', headers: fields }, (reply) => resolve(reply.resume().statusCode ?? 0))
    .on('error', reject)
    .end('{"all":true}')
  return promise
}
