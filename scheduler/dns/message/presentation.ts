// RDATA as a zone file and dig write it, for people: of the types that this server answers with. What is of another
// type, or not as its type has it, is written as octets (RFC 3597 §5).
import { formatIp } from '../../../src/net/ip.ts'
import { TYPE } from './codes.ts'
import { ROOT, formatName } from './names.ts'
import { readU16 } from './octets.ts'

/** Names in `data` are not compressed. */
export function formatData(type: number, data: Uint8Array): string {
  const form = FORMS.get(type)
  const reader = new DataReader(data)
  const text = form?.(reader)
  return text === undefined || !reader.isReadToTheEnd ? formatOctets(data) : text
}

type Form = (data: DataReader) => string

const FORMS: ReadonlyMap<number, Form> = new Map<number, Form>([
  [TYPE.A, (data) => data.ipv4()],
  [TYPE.AAAA, (data) => data.ipv6()],
  [TYPE.NS, (data) => data.name()],
  [TYPE.CNAME, (data) => data.name()],
  [TYPE.MX, (data) => `${data.u16()} ${data.name()}`],
  [TYPE.SRV, (data) => `${data.u16()} ${data.u16()} ${data.u16()} ${data.name()}`],
  [TYPE.SOA, formatSoa],
  [TYPE.TXT, (data) => data.all(() => quoted(data.characters())).join(' ')],
  [TYPE.HINFO, (data) => `${quoted(data.characters())} ${quoted(data.characters())}`],
  [TYPE.CAA, (data) => `${data.u8()} ${data.characters()} ${quoted(data.rest().toString('latin1'))}`],
  [TYPE.DNSKEY, (data) => `${data.u16()} ${data.u8()} ${data.u8()} ${data.rest().toString('base64')}`],
  [TYPE.HTTPS, formatService],
])

function formatSoa(data: DataReader): string {
  const names = `${data.name()} ${data.name()}`
  return `${names} ${data.u32()} ${data.u32()} ${data.u32()} ${data.u32()} ${data.u32()}`
}

/** RFC 9460 §2.1; keys that https-record.ts does not write have no name. */
function formatService(data: DataReader): string {
  const head = `${data.u16()} ${data.name()}`
  const parameters = data.all(() => {
    const key = data.u16()
    return formatParameter(key, data.part(data.u16()))
  })
  return [head, ...parameters].join(' ')
}

function formatParameter(key: number, value: DataReader): string {
  const [name, text] = parameterTexts(key, value)
  return `${name}=${text}`
}

function parameterTexts(key: number, value: DataReader): [name: string, text: string] {
  switch (key) {
    case 1:
      return ['alpn', `"${value.all(() => value.characters()).join(',')}"`]
    case 3:
      return ['port', String(value.u16())]
    case 4:
      return ['ipv4hint', value.all(() => value.ipv4()).join(',')]
    case 6:
      return ['ipv6hint', value.all(() => value.ipv6()).join(',')]
    default:
      return [`key${key}`, quoted(value.rest().toString('latin1'))]
  }
}

function formatOctets(data: Uint8Array): string {
  return ['\\#', String(data.length), Buffer.from(data).toString('hex')].join(' ').trimEnd()
}

/** What ends a text or does not print is escaped (RFC 1035 §5.1). */
function quoted(text: string): string {
  const escaped = text.replaceAll(/["\\]|[^ -~]/g, (octet) =>
    octet === '"' || octet === '\\' ? `\\${octet}` : `\\${String(octet.charCodeAt(0)).padStart(3, '0')}`,
  )
  return `"${escaped}"`
}

/** Reads on from field to field; what reads past the end finds zeros, and is not read to the end. */
class DataReader {
  readonly #data: Uint8Array
  #at = 0

  constructor(data: Uint8Array) {
    this.#data = data
  }

  get isReadToTheEnd(): boolean {
    return this.#at === this.#data.length
  }

  u8(): number {
    this.#at += 1
    return this.#data[this.#at - 1] ?? 0
  }

  u16(): number {
    this.#at += 2
    return readU16(this.#data, this.#at - 2)
  }

  u32(): number {
    return this.u16() * 0x1_0000 + this.u16()
  }

  ipv4(): string {
    return formatIp({ family: 4, a: 0, b: 0, c: 0, d: this.u32() })
  }

  ipv6(): string {
    return formatIp({ family: 6, a: this.u32(), b: this.u32(), c: this.u32(), d: this.u32() })
  }

  name(): string {
    let name = ''
    for (let length = this.u8(); length > 0; length = this.u8()) {
      name += String.fromCharCode(length) + this.#take(length).toString('latin1')
    }
    return formatName(name + ROOT)
  }

  /** A length octet and so many more (RFC 1035 §3.3). */
  characters(): string {
    return this.#take(this.u8()).toString('latin1')
  }

  rest(): Buffer {
    return this.#take(this.#data.length - this.#at)
  }

  part(bytes: number): DataReader {
    return new DataReader(this.#take(bytes))
  }

  /** One after the other up to the end. */
  all(read: () => string): string[] {
    const texts: string[] = []
    while (this.#at < this.#data.length) texts.push(read())
    return texts
  }

  #take(bytes: number): Buffer {
    this.#at += bytes
    return Buffer.from(this.#data.subarray(this.#at - bytes, this.#at))
  }
}
