// What pages of `edgeward explain` are written on: a terminal of some width, with colours or without.
import { styleText } from 'node:util'

export interface Screen {
  readonly columns: number | undefined
  readonly colours: boolean
}

export type Style = Parameters<typeof styleText>[0]
export type Paint = (style: Style, text: string) => string

export function paintOn(screen: Screen): Paint {
  return screen.colours
    ? (style, text) => styleText(style, text, { validateStream: false })
    : (_style, text) => text
}

/** Text that came from elsewhere is made harmless for a terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '�')
}
