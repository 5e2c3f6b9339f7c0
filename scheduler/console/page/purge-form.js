// The form that purges: what, by which way, soft or hard. What takes a whole property or everything asks again. Refusals are
// shown in the API's own words, at the field that they name.
import { ask } from './api.js'
import { h } from './dom.js'

/** `value`: what its field is called and looks like; without one there is nothing to fill in. */
const WAYS = {
  url: { title: 'URL', value: 'https://shows.example.com/ep1/main.m3u8', ofProperty: false },
  prefix: { title: 'Prefix', value: 'https://shows.example.com/ep1/', ofProperty: false },
  wildcard: { title: 'Wildcard', value: '/live/**/*.ts', ofProperty: true },
  tag: { title: 'Tag', value: 'episode-1', ofProperty: true },
  property: { title: 'Whole property', value: null, ofProperty: true },
  all: { title: 'Everything', value: null, ofProperty: false },
}

export function purgeForm(properties, onPurged) {
  const way = choice(
    'way',
    Object.entries(WAYS).map(([key, { title }]) => [key, title]),
  )
  const property = choice(
    'property',
    properties.map((one) => [one, one]),
  )
  const value = h('input', {
    id: 'value',
    'aria-describedby': 'problem',
    autocomplete: 'off',
    spellcheck: 'false',
  })
  const soft = h('input', { id: 'soft', type: 'checkbox' })
  const valueLabel = h('label', { for: 'value' })
  const valueField = h('div', { class: 'field wide' }, valueLabel, value)
  const propertyField = h('div', { class: 'field' }, h('label', { for: 'property' }, 'Property'), property)
  const problem = h('p', { id: 'problem', class: 'problem', role: 'alert' })
  const submit = h('button', { class: 'primary' }, 'Purge')

  const arrange = () => {
    const { title, value: example, ofProperty } = WAYS[way.value]
    valueField.hidden = example === null
    value.required = example !== null
    value.placeholder = example ?? ''
    valueLabel.textContent = title
    propertyField.hidden = !ofProperty
    tell(null)
  }
  /** Of the API: `url: …`, or about none of the fields. */
  const tell = (message) => {
    problem.textContent = message ?? ''
    const named = message?.startsWith('property: ') === true ? property : value
    for (const field of [property, value]) {
      field.toggleAttribute('aria-invalid', false)
      if (message !== null && field === named) field.setAttribute('aria-invalid', 'true')
    }
    if (message !== null && !named.parentElement.hidden) named.focus()
  }
  const send = async (body) => {
    submit.disabled = true
    try {
      const { id } = await ask('purges', { body })
      value.value = ''
      tell(null)
      onPurged(id)
    } catch (error) {
      tell(error.message)
    } finally {
      submit.disabled = false
    }
  }
  const purge = async (event) => {
    event.preventDefault()
    const body = bodyOf(way.value, {
      value: value.value.trim(),
      property: property.value,
      soft: soft.checked,
    })
    if (WAYS[way.value].value !== null || (await confirmed(body))) await send(body)
  }
  way.addEventListener('change', arrange)
  arrange()
  return h(
    'form',
    { class: 'panel', 'aria-label': 'Purge', onsubmit: purge },
    h('div', { class: 'field' }, h('label', { for: 'way' }, 'What'), way),
    propertyField,
    valueField,
    problem,
    h('label', { class: 'check wide' }, soft, ' Soft: keep it, to be asked for again before it is used'),
    submit,
  )
}

function bodyOf(way, { value, property, soft }) {
  if (way === 'all') return { all: true, soft }
  if (way === 'property') return { property, soft }
  return WAYS[way].ofProperty ? { property, [way]: value, soft } : { [way]: value, soft }
}

function choice(id, options) {
  return h('select', { id }, ...options.map(([key, title]) => h('option', { value: key }, title)))
}

/** Resolves when the question is answered; Escape is no. */
function confirmed({ all, property, soft }) {
  const what = all === true ? 'everything, of every property' : `all of ${property}`
  const how = soft
    ? 'It is kept, and asked for again from the origin.'
    : 'It is gone, and fetched anew from the origin.'
  // The policy forbids forms that are sent; this one closes its dialog.
  const buttons = h(
    'form',
    { method: 'dialog', class: 'buttons' },
    h('button', { value: 'no', autofocus: true }, 'Cancel'),
    h('button', { value: 'yes', class: 'danger' }, 'Purge'),
  )
  const heading = h('h2', { id: 'question' }, `Purge ${what}?`)
  const dialog = h('dialog', { 'aria-labelledby': 'question' }, heading, h('p', {}, how), buttons)
  document.body.append(dialog)
  const { promise, resolve } = Promise.withResolvers()
  dialog.addEventListener('close', () => {
    dialog.remove()
    resolve(dialog.returnValue === 'yes')
  })
  dialog.showModal()
  return promise
}
