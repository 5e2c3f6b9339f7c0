// Names of files in a configuration; relative ones are meant from the directory of the file that names them.
import { z } from 'zod'

export const fileName = z.string().min(1).max(4096).meta({ title: 'file name' })

export const files = z.union([fileName, z.array(fileName).min(1)], {
  error: 'must be a file name or a list of them',
})
