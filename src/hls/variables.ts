// Variables of a playlist (RFC 8216bis §4.3): `{$name}` stands for a value that EXT-X-DEFINE gives. Those that are
// not known stay as written: they come from another playlist or from the player's own URL (IMPORT, QUERYPARAM).
import { attributesOf } from './lines.ts'

const VARIABLE = /\{\$([A-Za-z0-9_-]{1,128})\}/g
/** Long values in many places make a small playlist enormous: beyond this much in all, text stays as written. */
const REPLACED_CHARS_MAX = 4 * 2 ** 20
const VARIABLES_MAX = 256

export class Variables {
  private readonly values = new Map<string, string>()
  private budget = REPLACED_CHARS_MAX

  define(attributes: ReadonlyMap<string, string>): void {
    const name = attributes.get('NAME')
    const value = attributes.get('VALUE')
    if (name !== undefined && value !== undefined && this.values.size < VARIABLES_MAX) {
      this.values.set(name, value)
    }
  }

  /** The same, from the line of the tag. */
  defineFrom(line: string, from: number): void {
    this.define(attributesOf(line, from))
  }

  get none(): boolean {
    return this.values.size === 0
  }

  replace(text: string): string {
    if (this.none || !text.includes('{$')) return text
    return text.replaceAll(VARIABLE, (written, name: string) => {
      const value = this.values.get(name)
      if (value === undefined || value.length > this.budget) return written
      this.budget -= value.length
      return value
    })
  }
}
