// The two ways a scalar with a unit is written: as text in a configuration file (`30s`, `2MiB`), as a plain number
// between daemons. A schema that is made from a form serves both, and gives the same type.
import { z } from 'zod'
import { duration, rate, size, wait } from './values.ts'

type NumberSchema = z.ZodType<number>

export interface ScalarForm {
  /** Milliseconds. `preset` is what stands for a missing value, as a file would say it. */
  duration(preset?: string): NumberSchema
  /** Milliseconds that a timer waits for. */
  wait(preset?: string): NumberSchema
  /** Bytes. */
  size(preset?: string): NumberSchema
  /** Bits a second. */
  rate(): NumberSchema
}

export const IN_FILE: ScalarForm = {
  duration: (preset) => (preset === undefined ? duration : duration.prefault(preset)),
  wait: (preset) => (preset === undefined ? wait : wait.prefault(preset)),
  size: (preset) => (preset === undefined ? size : size.prefault(preset)),
  rate: () => rate,
}

const plain = () => z.number().nonnegative()

export const ON_WIRE: ScalarForm = { duration: plain, wait: plain, size: plain, rate: plain }
