// Elements from names, attributes and children. Text is only ever set as text.

/** `on…` attributes are listeners; true is an attribute without a value, and false, null or undefined is none. */
export function h(name, attributes = {}, ...children) {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice(2), value)
    else if (value !== false && value !== null && value !== undefined) {
      element.setAttribute(key, value === true ? '' : String(value))
    }
  }
  element.append(...children)
  return element
}

/** `columns`: of `{ name, number }`. `rows`: arrays of text or elements, in that order. */
export function table(caption, columns, rows) {
  const kind = (i) => (columns[i]?.number === true ? 'number' : null)
  const heads = columns.map(({ name }, i) => h('th', { scope: 'col', class: kind(i) }, name))
  const lines = rows.map((cells) => h('tr', {}, ...cells.map((cell, i) => h('td', { class: kind(i) }, cell))))
  const body = h(
    'table',
    {},
    h('caption', {}, caption),
    h('thead', {}, h('tr', {}, ...heads)),
    h('tbody', {}, ...lines),
  )
  // Scrolls by itself where it is wider than the page, also by keyboard.
  return h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, body)
}

export function state(word) {
  return h('span', { class: `state ${word}` }, word)
}

/** Changes what differs only: focus, selection and how far a table is scrolled stay as they are. */
export function show(place, ...children) {
  adapt(place, h('div', {}, ...children))
}

function adapt(place, wanted) {
  if (place.childNodes.length !== wanted.childNodes.length) {
    place.replaceChildren(...wanted.childNodes)
    return
  }
  for (const [i, next] of [...wanted.childNodes].entries()) {
    const now = place.childNodes[i]
    if (now.isEqualNode(next)) continue
    const isSameElement = now instanceof Element && now.cloneNode(false).isEqualNode(next.cloneNode(false))
    if (isSameElement) adapt(now, next)
    else now.replaceWith(next)
  }
}
