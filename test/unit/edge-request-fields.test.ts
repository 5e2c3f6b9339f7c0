// What goes upstream with a fetch.
import t from 'tap'
import { conditionFields, hasLooped, rangeFields, requestFields } from '../../edge/fill/request-fields.ts'
import { FieldBlock } from '../../src/http/fields.ts'

t.test('the same for every client, save the loop mark', async (t) => {
  const alone = new FieldBlock(requestFields('gz-1', undefined))
  t.equal(alone.get('accept-encoding'), 'identity')
  t.equal(alone.get('via'), '1.1 gz-1')
  t.equal(alone.get('cdn-loop'), 'edgeward; id="gz-1"')
  const through = new FieldBlock(requestFields('gz-1', 'other-cdn'))
  t.equal(through.get('cdn-loop'), 'other-cdn, edgeward; id="gz-1"')
})

t.test('a loop is seen by this edge’s own mark alone', async (t) => {
  const marked = new FieldBlock(requestFields('gz-1', 'other')).get('cdn-loop')
  t.equal(hasLooped(marked, 'gz-1'), true)
  t.equal(hasLooped(marked, 'gz-10'), false)
  t.equal(hasLooped(marked, 'z-1'), false)
  t.equal(hasLooped(undefined, 'gz-1'), false)
})

t.test('conditions carry the validators there are', async (t) => {
  t.strictSame(conditionFields(undefined), [])
  t.strictSame(conditionFields({ etag: undefined, lastModified: undefined }), [])
  t.strictSame(conditionFields({ etag: 'W/"a"', lastModified: 'D' }), [
    'If-None-Match',
    'W/"a"',
    'If-Modified-Since',
    'D',
  ])
})

const validators = (etag: string | undefined) => ({ etag, lastModified: 'D' })

t.test('a part is bound to a strong validator', async (t) => {
  t.strictSame(rangeFields(0, 100, validators('"a"')), ['Range', 'bytes=0-99', 'If-Range', '"a"'])
  for (const weak of [validators('W/"a"'), validators(undefined), undefined]) {
    t.strictSame(rangeFields(100, 200, weak), ['Range', 'bytes=100-199'])
  }
})
