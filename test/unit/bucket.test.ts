// Token buckets: exact in whole numbers, whenever they are asked.
import t from 'tap'
import { bucketSize, newBucket, takeToken, waitMs } from '../../edge/limits/token-bucket.ts'

t.test('a burst, then the rate, to the token', async (t) => {
  const size = bucketSize({ rate: 7, burst: 3 })
  const bucket = newBucket()
  let taken = 0
  // Asked at every millisecond of ten minutes: nothing is lost to rounding.
  for (let nowMs = 5000; nowMs <= 605_000; nowMs++) {
    if (waitMs(bucket, size, nowMs + 0.7) > 0) continue
    takeToken(bucket)
    taken++
  }
  t.equal(taken, 3 + 7 * 600)
})

t.test('after the wait that it names a token is there, and not before', async (t) => {
  for (const rate of [0.001, 0.5, 1, 3, 7, 60, 999, 12_345]) {
    const size = bucketSize({ rate, burst: 1 })
    const bucket = newBucket()
    t.equal(waitMs(bucket, size, 1000), 0)
    takeToken(bucket)
    const wait = waitMs(bucket, size, 1000)
    t.equal(wait, Math.ceil(1000 / rate), `rate ${rate}`)
    if (wait > 1) t.ok(waitMs(bucket, size, 1000 + wait - 1) > 0)
    t.equal(waitMs(bucket, size, 1000 + wait), 0)
  }
})

t.test('it holds no more than its burst, and a smaller size counts at once', async (t) => {
  const bucket = newBucket()
  const size = bucketSize({ rate: 10, burst: 5 })
  let taken = 0
  for (; waitMs(bucket, size, 1e9) === 0; taken++) takeToken(bucket)
  t.equal(taken, 5)
  const smaller = bucketSize({ rate: 10, burst: 2 })
  for (taken = 0; waitMs(bucket, smaller, 2e9) === 0; taken++) takeToken(bucket)
  t.equal(taken, 2)
})
