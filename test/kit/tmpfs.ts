// A small file system of a test's own, to fill up, to make read-only, to take away. Needs the right to mount.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmdirSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestScope } from './scope.ts'
import { tempDirectory } from './temp.ts'

/** Mounts it for the length of the test; `size` as mount takes it, such as `1m`. */
export async function mountTmpfs(t: TestScope, size: string): Promise<string> {
  const directory = await tempDirectory(t)
  mount(directory, size)
  t.teardown(() => {
    // The test may have taken it away.
    try {
      unmount(directory)
    } catch {
      return
    }
  })
  return directory
}

/** Whoever writes to this path is refused, as after an error of the disk; what is open stays so. */
export function makeReadOnly(t: TestScope, directory: string): void {
  execFileSync('mount', ['--bind', directory, directory])
  t.teardown(() => unmount(directory))
  execFileSync('mount', ['-o', 'remount,bind,ro', directory])
}

export function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

/** Gone from its place at once, though files in it are open. */
export function detach(directory: string): void {
  execFileSync('umount', ['-l', directory])
}

/** Why no file system can be made for a test; false when one can. */
export function tmpfsRefusal(): string | false {
  const directory = mkdtempSync(path.join(tmpdir(), 'edgeward-test-'))
  try {
    mount(directory, '1m')
    unmount(directory)
    return false
  } catch {
    return 'needs the right to mount a tmpfs'
  } finally {
    rmdirSync(directory)
  }
}

function mount(directory: string, size: string): void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory], { stdio: 'ignore' })
}

function unmount(directory: string): void {
  execFileSync('umount', [directory], { stdio: 'ignore' })
}
