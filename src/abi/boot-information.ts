// Boot information: what a partition finds at the address in its boot register.
//
// Two forms: a header and descriptors of 32 bytes or what the header states (1.1 and later), and the older one of 1.0,
// whose entries are name, value, size. A descriptor's content lies where it says; only what is inside the header's
// array is decoded. Names are kept as 16 bytes: they are text or a UUID, as a flag says.
//
// Sources: [Hafnium boot_info.c], [OP-TEE spmc_sp_handler.c], [arm-ffa crate].

import { assert } from '../base/assert.ts';
import { DescriptorReader, decimal, hex } from './descriptor-reader.ts';
import type { Decoded, DecodeOptions } from './fault.ts';
import * as layout from './layout/boot-information.ts';
import { formatVersion, versionMajor } from './versions.ts';
import type { Words64 } from './words.ts';

export interface BootInformation {
  readonly version: number;
  /** Size of the whole blob, contents included. */
  readonly blobSizeBytes: number;
  readonly descriptorSizeBytes: number;
  readonly descriptorsOffset: number;
  readonly descriptors: readonly BootDescriptor[];
}

export interface BootDescriptor {
  /** 16 bytes: text padded with zeros, or a UUID. */
  readonly name: Uint8Array;
  /** `BOOT_TYPE_...`, one byte. */
  readonly type: number;
  /** `BOOT_FLAG_...`, 16 bits. */
  readonly flags: number;
  readonly contentSizeBytes: number;
  /** An address, a value, or an offset in the blob, as the flags say. */
  readonly content: Words64;
}

/** One entry of the 1.0 form. */
export interface BootEntry10 {
  /** 16 bytes. */
  readonly name: Uint8Array;
  readonly value: Words64;
  readonly size: Words64;
}

/** A name of at most 16 ASCII characters as 16 bytes. */
export function bootName(text: string): Uint8Array {
  assert(text.length <= layout.BOOT_DESCRIPTOR_NAME_SIZE_BYTES, 'a boot name has at most 16 characters');
  const name = new Uint8Array(layout.BOOT_DESCRIPTOR_NAME_SIZE_BYTES);
  for (let n = 0; n < text.length; n++) name[n] = text.charCodeAt(n);
  return name;
}

/** Boot information with the descriptors right after the header and nothing else in the blob. */
export function buildBootInformation(version: number, descriptors: readonly BootDescriptor[]): BootInformation {
  const descriptorSizeBytes = layout.BOOT_DESCRIPTOR_SIZE_BYTES;
  const descriptorsOffset = layout.BOOT_INFO_HEADER_SIZE_BYTES;
  const blobSizeBytes = descriptorsOffset + descriptorSizeBytes * descriptors.length;
  return { version, blobSizeBytes, descriptorSizeBytes, descriptorsOffset, descriptors };
}

export function decodeBootInformation(view: DataView, options?: DecodeOptions): Decoded<BootInformation> {
  const reader = new DescriptorReader(view, options);
  const signature = reader.u32('signature', layout.BOOT_INFO_SIGNATURE_OFFSET);
  if (signature !== layout.BOOT_INFO_SIGNATURE) {
    reader.fail('signature', 'signature', layout.BOOT_INFO_SIGNATURE_OFFSET, signature, 'must be 0xffa');
  }
  const version = reader.u32('version', layout.BOOT_INFO_VERSION_OFFSET, formatVersion);
  if (versionMajor(version) !== 1) {
    const text = formatVersion(version);
    reader.fail('version', 'version', layout.BOOT_INFO_VERSION_OFFSET, text, 'must have major version 1');
  }
  const blobSizeBytes = reader.u32('blobSize', layout.BOOT_INFO_BLOB_SIZE_OFFSET, decimal);
  const sizeOffset = layout.BOOT_INFO_DESCRIPTOR_SIZE_OFFSET;
  const descriptorSizeBytes = reader.u32('descriptorSize', sizeOffset, decimal);
  if (descriptorSizeBytes < layout.BOOT_DESCRIPTOR_SIZE_BYTES) {
    reader.fail('size-unsupported', 'descriptorSize', sizeOffset, decimal(descriptorSizeBytes), 'must be 32 or more');
  }
  const countOffset = layout.BOOT_INFO_DESCRIPTOR_COUNT_OFFSET;
  const count = reader.u32('descriptorCount', countOffset, decimal);
  const descriptorsOffset = reader.u32('descriptorsOffset', layout.BOOT_INFO_DESCRIPTORS_OFFSET);
  reader.reserved('reserved', layout.BOOT_INFO_RESERVED_24_OFFSET, 8);
  if (descriptorsOffset < layout.BOOT_INFO_HEADER_SIZE_BYTES) {
    const at = layout.BOOT_INFO_DESCRIPTORS_OFFSET;
    reader.fail('offset-inside-header', 'descriptorsOffset', at, descriptorsOffset, 'must be 0x20 or more');
  }
  const end = Math.min(reader.sizeBytes, blobSizeBytes);
  if (descriptorsOffset + count * descriptorSizeBytes > end) {
    const from = hex(descriptorsOffset);
    const rule = `${count} descriptors of ${descriptorSizeBytes} bytes from ${from} exceed ${hex(end)}`;
    reader.fail('count-outside', 'descriptorCount', countOffset, decimal(count), rule);
  }
  const descriptors: BootDescriptor[] = [];
  for (let n = 0; n < count && reader.fault === null; n++) {
    reader.enter('descriptors', n);
    descriptors.push(readDescriptor(reader, descriptorsOffset + n * descriptorSizeBytes));
    reader.leave();
  }
  return reader.result({ version, blobSizeBytes, descriptorSizeBytes, descriptorsOffset, descriptors });
}

/** `blobSizeBytes` bytes: header and descriptors; contents inside the blob are the caller's to write. */
export function encodeBootInformation(information: BootInformation): Uint8Array {
  const { blobSizeBytes, descriptors, descriptorSizeBytes, descriptorsOffset } = information;
  assert(descriptorSizeBytes >= layout.BOOT_DESCRIPTOR_SIZE_BYTES, 'a boot descriptor has 32 bytes or more');
  assert(descriptorsOffset >= layout.BOOT_INFO_HEADER_SIZE_BYTES, 'boot descriptors lie after the header');
  assert(
    descriptorsOffset + descriptorSizeBytes * descriptors.length <= blobSizeBytes,
    'boot descriptors fit the blob',
  );
  const bytes = new Uint8Array(blobSizeBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(layout.BOOT_INFO_SIGNATURE_OFFSET, layout.BOOT_INFO_SIGNATURE, true);
  view.setUint32(layout.BOOT_INFO_VERSION_OFFSET, information.version, true);
  view.setUint32(layout.BOOT_INFO_BLOB_SIZE_OFFSET, blobSizeBytes, true);
  view.setUint32(layout.BOOT_INFO_DESCRIPTOR_SIZE_OFFSET, descriptorSizeBytes, true);
  view.setUint32(layout.BOOT_INFO_DESCRIPTOR_COUNT_OFFSET, descriptors.length, true);
  view.setUint32(layout.BOOT_INFO_DESCRIPTORS_OFFSET, descriptorsOffset, true);
  for (let n = 0; n < descriptors.length; n++) {
    const at = descriptorsOffset + n * descriptorSizeBytes;
    const one = descriptors[n];
    bytes.set(one.name, at + layout.BOOT_DESCRIPTOR_NAME_OFFSET);
    view.setUint8(at + layout.BOOT_DESCRIPTOR_TYPE_OFFSET, one.type);
    view.setUint16(at + layout.BOOT_DESCRIPTOR_FLAGS_OFFSET, one.flags, true);
    view.setUint32(at + layout.BOOT_DESCRIPTOR_CONTENT_SIZE_OFFSET, one.contentSizeBytes, true);
    view.setUint32(at + layout.BOOT_DESCRIPTOR_CONTENT_OFFSET, one.content.low, true);
    view.setUint32(at + layout.BOOT_DESCRIPTOR_CONTENT_OFFSET + 4, one.content.high, true);
  }
  return bytes;
}

export function decodeBootInformation10(view: DataView, options?: DecodeOptions): Decoded<readonly BootEntry10[]> {
  const reader = new DescriptorReader(view, options);
  const magic = reader.u32('magic', layout.BOOT_INFO_1_0_MAGIC_OFFSET);
  if (magic !== layout.BOOT_INFO_1_0_MAGIC) {
    reader.fail('signature', 'magic', layout.BOOT_INFO_1_0_MAGIC_OFFSET, magic, 'must be 0x412d4646 ("FF-A")');
  }
  const count = reader.u32('count', layout.BOOT_INFO_1_0_COUNT_OFFSET, decimal);
  const room = reader.sizeBytes - layout.BOOT_INFO_1_0_HEADER_SIZE_BYTES;
  const fits = Math.max(0, Math.floor(room / layout.BOOT_INFO_1_0_ENTRY_SIZE_BYTES));
  if (count > fits) {
    const at = layout.BOOT_INFO_1_0_COUNT_OFFSET;
    reader.fail('count-outside', 'count', at, decimal(count), `room for ${fits} entries of 32 bytes is left`);
  }
  const entries: BootEntry10[] = [];
  for (let n = 0; n < count && reader.fault === null; n++) {
    const at = layout.BOOT_INFO_1_0_HEADER_SIZE_BYTES + n * layout.BOOT_INFO_1_0_ENTRY_SIZE_BYTES;
    reader.enter('entries', n);
    const name = readName(reader, at + layout.BOOT_INFO_1_0_NAME_OFFSET);
    const value = reader.words64('value', at + layout.BOOT_INFO_1_0_VALUE_OFFSET);
    const size = reader.words64('size', at + layout.BOOT_INFO_1_0_SIZE_OFFSET);
    reader.leave();
    entries.push({ name, value, size });
  }
  return reader.result(entries);
}

export function encodeBootInformation10(entries: readonly BootEntry10[]): Uint8Array {
  const entryBytes = layout.BOOT_INFO_1_0_ENTRY_SIZE_BYTES;
  const bytes = new Uint8Array(layout.BOOT_INFO_1_0_HEADER_SIZE_BYTES + entries.length * entryBytes);
  const view = new DataView(bytes.buffer);
  view.setUint32(layout.BOOT_INFO_1_0_MAGIC_OFFSET, layout.BOOT_INFO_1_0_MAGIC, true);
  view.setUint32(layout.BOOT_INFO_1_0_COUNT_OFFSET, entries.length, true);
  for (let n = 0; n < entries.length; n++) {
    const at = layout.BOOT_INFO_1_0_HEADER_SIZE_BYTES + n * entryBytes;
    bytes.set(entries[n].name, at + layout.BOOT_INFO_1_0_NAME_OFFSET);
    writeWords(view, at + layout.BOOT_INFO_1_0_VALUE_OFFSET, entries[n].value);
    writeWords(view, at + layout.BOOT_INFO_1_0_SIZE_OFFSET, entries[n].size);
  }
  return bytes;
}

function readDescriptor(reader: DescriptorReader, at: number): BootDescriptor {
  const name = readName(reader, at + layout.BOOT_DESCRIPTOR_NAME_OFFSET);
  const type = reader.u8('type', at + layout.BOOT_DESCRIPTOR_TYPE_OFFSET);
  reader.reserved('reserved', at + layout.BOOT_DESCRIPTOR_RESERVED_17_OFFSET, 1);
  const flags = reader.u16('flags', at + layout.BOOT_DESCRIPTOR_FLAGS_OFFSET);
  const contentSizeBytes = reader.u32('contentSize', at + layout.BOOT_DESCRIPTOR_CONTENT_SIZE_OFFSET, decimal);
  const content = reader.words64('content', at + layout.BOOT_DESCRIPTOR_CONTENT_OFFSET);
  return { name, type, flags, contentSizeBytes, content };
}

function readName(reader: DescriptorReader, at: number): Uint8Array {
  return reader.bytes('name', at, layout.BOOT_DESCRIPTOR_NAME_SIZE_BYTES, formatName);
}

/** Printable characters up to the first zero; others as dots. */
function formatName(name: Uint8Array): string {
  let text = '';
  for (const byte of name) {
    if (byte === 0) break;
    text += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
  }
  return `"${text}"`;
}

function writeWords(view: DataView, at: number, words: Words64): void {
  view.setUint32(at, words.low, true);
  view.setUint32(at + 4, words.high, true);
}
