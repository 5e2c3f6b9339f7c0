// Which page is shown: the first part of the hash names it, the rest is its own. A page has a file that exports `id`,
// `title` and `open(place, rest, signal)`; the signal ends what it does when it is left.
import * as overview from './overview.js'
import * as purges from './purges.js'

const PAGES = [overview, purges]
const main = document.getElementById('main')
const pages = document.getElementById('pages')
let leaving = new AbortController()

function openPage(isFirst) {
  const [id, ...rest] = location.hash.replace(/^#\/?/, '').split('/')
  const page = PAGES.find((one) => one.id === id) ?? overview
  leaving.abort()
  leaving = new AbortController()
  document.title = `${page.title} · Edgeward`
  for (const link of pages.children) {
    if (link.dataset.page === page.id) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  main.replaceChildren()
  page.open(main, rest.join('/'), leaving.signal)
  // Who follows a link by keyboard goes on in the new page.
  if (!isFirst) main.focus({ preventScroll: true })
}

for (const { id, title } of PAGES) {
  const link = document.createElement('a')
  link.href = `#/${id}`
  link.dataset.page = id
  link.textContent = title
  pages.append(link)
}
document.getElementById('skip').addEventListener('click', (event) => {
  event.preventDefault()
  main.focus()
})
addEventListener('hashchange', () => openPage(false))
openPage(true)
