/**
 * msgpack bodies: requests are checked before they are unpacked, because anyone can send them; answers are
 * packed plain (no records, no extensions), so that any library of any language reads them.
 */
import { Packr } from 'msgpackr';
import { viewOf } from '#protocol/bytes.ts';

const packer = new Packr({ useRecords: false, variableMapSize: true, int64AsType: 'number' });

/** Undefined values are left out of maps by the callers; bigint must not occur. */
export const pack = (value: unknown): Uint8Array => packer.pack(value);

const DEPTH_MAX = 4;
const ITEMS_MAX = 256;

/**
 * The map in `bytes` when they are exactly one msgpack map with text keys, nested at most four deep, with at
 * most 256 items and no extension types; undefined otherwise. Never throws.
 */
export function unpackRequest(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  const form = new Form(bytes);
  if (!form.isPlainMap()) return undefined;
  try {
    return packer.unpack(bytes) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

/** Walks msgpack without building anything. */
class Form {
  private readonly view: DataView;
  private at = 0;
  private items = 0;

  constructor(bytes: Uint8Array) {
    this.view = viewOf(bytes);
  }

  isPlainMap(): boolean {
    const first = this.view.byteLength > 0 ? this.view.getUint8(0) : 0;
    const isMap = (first & 0xf0) === 0x80 || first === 0xde || first === 0xdf;
    return isMap && this.value(0) && this.at === this.view.byteLength;
  }

  private has(bytes: number): boolean {
    return this.at + bytes <= this.view.byteLength;
  }

  private skip(bytes: number): boolean {
    if (!this.has(bytes)) return false;
    this.at += bytes;
    return true;
  }

  /** A length field of 1, 2 or 4 bytes; -1 when it is cut. */
  private length(bytes: 1 | 2 | 4): number {
    if (!this.has(bytes)) return -1;
    const at = this.at;
    this.at += bytes;
    return bytes === 1
      ? this.view.getUint8(at)
      : bytes === 2
        ? this.view.getUint16(at)
        : this.view.getUint32(at);
  }

  private text(lengthBytes: 1 | 2 | 4): boolean {
    const length = this.length(lengthBytes);
    return length >= 0 && this.skip(length);
  }

  private key(): boolean {
    if (!this.has(1)) return false;
    const type = this.view.getUint8(this.at++);
    if ((type & 0xe0) === 0xa0) return this.skip(type & 0x1f);
    return type === 0xd9 && this.text(1);
  }

  private sequence(count: number, depth: number, isMap: boolean): boolean {
    if (count < 0 || depth >= DEPTH_MAX || this.items + count > ITEMS_MAX) return false;
    for (let i = 0; i < count; i++) {
      if (isMap && !this.key()) return false;
      if (!this.value(depth + 1)) return false;
    }
    return true;
  }

  private value(depth: number): boolean {
    if (!this.has(1) || ++this.items > ITEMS_MAX) return false;
    const type = this.view.getUint8(this.at++);
    if (type <= 0x7f || type >= 0xe0) return true;
    if (type <= 0x8f) return this.sequence(type & 0x0f, depth, true);
    if (type <= 0x9f) return this.sequence(type & 0x0f, depth, false);
    if (type <= 0xbf) return this.skip(type & 0x1f);
    switch (type) {
      case 0xc0:
      case 0xc2:
      case 0xc3:
        return true;
      case 0xc4:
      case 0xd9:
        return this.text(1);
      case 0xc5:
      case 0xda:
        return this.text(2);
      case 0xc6:
      case 0xdb:
        return this.text(4);
      case 0xcc:
      case 0xd0:
        return this.skip(1);
      case 0xcd:
      case 0xd1:
        return this.skip(2);
      case 0xca:
      case 0xce:
      case 0xd2:
        return this.skip(4);
      case 0xcb:
      case 0xcf:
      case 0xd3:
        return this.skip(8);
      case 0xdc:
        return this.sequence(this.length(2), depth, false);
      case 0xdd:
        return this.sequence(this.length(4), depth, false);
      case 0xde:
        return this.sequence(this.length(2), depth, true);
      case 0xdf:
        return this.sequence(this.length(4), depth, true);
      default:
        return false;
    }
  }
}
