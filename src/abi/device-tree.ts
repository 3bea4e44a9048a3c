// Flattened device trees (blobs), version 17: bytes to a tree of nodes and properties, and back [DTSpec §5].
//
// A blob comes from a file or from a partition's package, not from memory that somebody may rewrite meanwhile: its
// strings are read once for each property that names them. Decoding never throws: bad input gives a fault with its
// offset. The writer lays a blob out as `dtc` does (strings in order of first use, a string that ends another shares
// its bytes), so that a blob of dtc's without padding comes back byte for byte.
//
// Limits: 2 MiB, 32 levels, 16,384 nodes, 65,536 properties, names of 255 characters.
// Not covered: phandles of overlays, versions below 16, the order of reservation entries.

import { assert } from '../base/assert.ts';
import type { Decoded } from './fault.ts';
import type { Words64 } from './words.ts';

export const DEVICE_TREE_SIZE_MAX_BYTES = 2 * 1024 * 1024;
export const DEVICE_TREE_DEPTH_MAX = 32;
export const DEVICE_TREE_NODE_COUNT_MAX = 16384;
export const DEVICE_TREE_PROPERTY_COUNT_MAX = 65536;
export const DEVICE_TREE_NAME_MAX = 255;

export interface DeviceTreeProperty {
  readonly name: string;
  readonly value: Uint8Array;
  /** Where the value is in the blob that it was read from. */
  readonly offset?: number;
}

export interface DeviceTreeNode {
  /** Name with unit address, e.g. `uart@1c0b0000`; empty for the root. */
  readonly name: string;
  readonly properties: readonly DeviceTreeProperty[];
  readonly children: readonly DeviceTreeNode[];
  /** Where the node begins in the blob that it was read from. */
  readonly offset?: number;
}

/** A range of memory that the blob reserves. */
export interface MemoryReservation {
  readonly address: Words64;
  readonly size: Words64;
}

export interface DeviceTree {
  /** Id of the CPU that boots. */
  readonly bootCpu: number;
  readonly reservations: readonly MemoryReservation[];
  readonly root: DeviceTreeNode;
}

export type DeviceTreeFaultKind = 'too-short' | 'too-large' | 'header' | 'version' | 'block' | 'token' | 'name' | 'end';

const MAGIC = 0xd00dfeed;
const VERSION = 17;
const OLDEST_COMPATIBLE_VERSION = 16;
const HEADER_SIZE_BYTES = 40;
const RESERVATION_SIZE_BYTES = 16;

// Offsets in the header; every field is a big-endian word.
const TOTAL_SIZE_OFFSET = 4;
const STRUCTURE_OFFSET = 8;
const STRINGS_OFFSET = 12;
const RESERVATIONS_OFFSET = 16;
const VERSION_OFFSET = 20;
const COMPATIBLE_VERSION_OFFSET = 24;
const BOOT_CPU_OFFSET = 28;
const STRINGS_SIZE_OFFSET = 32;
const STRUCTURE_SIZE_OFFSET = 36;

const TOKEN_BEGIN_NODE = 1;
const TOKEN_END_NODE = 2;
const TOKEN_PROPERTY = 3;
const TOKEN_NOP = 4;
const TOKEN_END = 9;

type Writable<T> = { -readonly [K in keyof T]: T[K] };
interface OpenNode {
  readonly name: string;
  readonly properties: DeviceTreeProperty[];
  readonly children: DeviceTreeNode[];
  readonly propertyNames: Set<string>;
  readonly childNames: Set<string>;
  readonly offset: number;
}

/** Decodes a blob; bytes after its stated size are not looked at. */
export function decodeDeviceTree(bytes: Uint8Array): Decoded<DeviceTree, DeviceTreeFaultKind> {
  const reader = new BlobReader(bytes);
  const tree = reader.read();
  const { fault } = reader;
  return fault === null ? { ok: true, value: tree, fields: [] } : { ok: false, fault, fields: [] };
}

/** Encodes a tree. Names must be printable ASCII within the limits: anything else is a bug of the caller. */
export function encodeDeviceTree(tree: DeviceTree): Uint8Array {
  const writer = new BlobWriter();
  writer.node(tree.root, 0);
  writer.word(TOKEN_END);
  const reservationsSize = (tree.reservations.length + 1) * RESERVATION_SIZE_BYTES;
  const structureAt = HEADER_SIZE_BYTES + reservationsSize;
  const stringsAt = structureAt + writer.structure.length;
  const bytes = new Uint8Array(stringsAt + writer.strings.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC);
  view.setUint32(TOTAL_SIZE_OFFSET, bytes.length);
  view.setUint32(STRUCTURE_OFFSET, structureAt);
  view.setUint32(STRINGS_OFFSET, stringsAt);
  view.setUint32(RESERVATIONS_OFFSET, HEADER_SIZE_BYTES);
  view.setUint32(VERSION_OFFSET, VERSION);
  view.setUint32(COMPATIBLE_VERSION_OFFSET, OLDEST_COMPATIBLE_VERSION);
  view.setUint32(BOOT_CPU_OFFSET, tree.bootCpu);
  view.setUint32(STRINGS_SIZE_OFFSET, writer.strings.length);
  view.setUint32(STRUCTURE_SIZE_OFFSET, writer.structure.length);
  for (let n = 0; n < tree.reservations.length; n++) {
    const at = HEADER_SIZE_BYTES + n * RESERVATION_SIZE_BYTES;
    const { address, size } = tree.reservations[n];
    view.setUint32(at, address.high);
    view.setUint32(at + 4, address.low);
    view.setUint32(at + 8, size.high);
    view.setUint32(at + 12, size.low);
  }
  bytes.set(writer.structure, structureAt);
  for (let n = 0; n < writer.strings.length; n++) bytes[stringsAt + n] = writer.strings.charCodeAt(n);
  assert(bytes.length <= DEVICE_TREE_SIZE_MAX_BYTES, 'a device tree has at most 2 MiB');
  return bytes;
}

class BlobReader {
  fault: { kind: DeviceTreeFaultKind; path: string; offset: number; found: string; rule: string } | null = null;
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private end = 0;
  private stringsAt = 0;
  private stringsEnd = 0;
  private nodeCount = 0;
  private propertyCount = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  read(): DeviceTree {
    const tree: Writable<DeviceTree> = { bootCpu: 0, reservations: [], root: EMPTY_ROOT };
    if (!this.header()) return tree;
    tree.bootCpu = this.view.getUint32(BOOT_CPU_OFFSET);
    tree.reservations = this.reservations(this.view.getUint32(RESERVATIONS_OFFSET));
    const structureAt = this.view.getUint32(STRUCTURE_OFFSET);
    const structureEnd = structureAt + this.view.getUint32(STRUCTURE_SIZE_OFFSET);
    if (this.fault === null) tree.root = this.structure(structureAt, structureEnd);
    return tree;
  }

  private header(): boolean {
    const { bytes, view } = this;
    if (bytes.length < HEADER_SIZE_BYTES) {
      return this.fail('too-short', 'header', 0, `${bytes.length} bytes`, 'needs 40 bytes');
    }
    const magic = view.getUint32(0);
    if (magic !== MAGIC) return this.fail('header', 'magic', 0, hex(magic), 'must be 0xd00dfeed');
    this.end = view.getUint32(TOTAL_SIZE_OFFSET);
    if (this.end > DEVICE_TREE_SIZE_MAX_BYTES) {
      return this.fail('too-large', 'totalsize', TOTAL_SIZE_OFFSET, String(this.end), 'must be 2097152 or less');
    }
    if (this.end > bytes.length) {
      return this.fail('too-short', 'totalsize', TOTAL_SIZE_OFFSET, `${bytes.length} bytes`, `needs ${this.end} bytes`);
    }
    const version = view.getUint32(VERSION_OFFSET);
    const compatible = view.getUint32(COMPATIBLE_VERSION_OFFSET);
    // Version 16 lacks the size of the structure block.
    if (version < VERSION || compatible > VERSION) {
      const found = `${version}, compatible with ${compatible}`;
      return this.fail('version', 'version', VERSION_OFFSET, found, 'must be 17, or compatible with 17');
    }
    this.stringsAt = view.getUint32(STRINGS_OFFSET);
    this.stringsEnd = this.stringsAt + view.getUint32(STRINGS_SIZE_OFFSET);
    if (!this.block('off_dt_strings', STRINGS_OFFSET, this.stringsAt, this.stringsEnd, 1)) return false;
    const structureAt = view.getUint32(STRUCTURE_OFFSET);
    const structureEnd = structureAt + view.getUint32(STRUCTURE_SIZE_OFFSET);
    if (!this.block('off_dt_struct', STRUCTURE_OFFSET, structureAt, structureEnd, 4)) return false;
    const reservationsAt = view.getUint32(RESERVATIONS_OFFSET);
    return this.block(
      'off_mem_rsvmap',
      RESERVATIONS_OFFSET,
      reservationsAt,
      reservationsAt + RESERVATION_SIZE_BYTES,
      8,
    );
  }

  private block(path: string, at: number, first: number, end: number, alignment: number): boolean {
    if (first < HEADER_SIZE_BYTES || first % alignment !== 0 || end > this.end) {
      const rule = `must be aligned to ${alignment}, and lie after the header and before ${hex(this.end)}`;
      return this.fail('block', path, at, `${hex(first)} to ${hex(end)}`, rule);
    }
    return true;
  }

  private reservations(at: number): MemoryReservation[] {
    const list: MemoryReservation[] = [];
    for (let next = at; ; next += RESERVATION_SIZE_BYTES) {
      if (next + RESERVATION_SIZE_BYTES > this.end) {
        this.fail('end', 'reservations', next, hex(this.end), 'must end with an entry of zeros');
        return list;
      }
      const address = { low: this.view.getUint32(next + 4), high: this.view.getUint32(next) };
      const size = { low: this.view.getUint32(next + 12), high: this.view.getUint32(next + 8) };
      if ((address.low | address.high | size.low | size.high) === 0) return list;
      list.push({ address, size });
    }
  }

  /** Walks the tokens without recursion: a blob cannot exhaust the stack. */
  private structure(first: number, end: number): DeviceTreeNode {
    const open: OpenNode[] = [];
    let root: DeviceTreeNode = EMPTY_ROOT;
    let at = first;
    for (;;) {
      if (at + 4 > end) {
        this.fail('end', pathOf(open), at, hex(end), 'must end with FDT_END');
        return root;
      }
      const token = this.view.getUint32(at);
      const tokenAt = at;
      at += 4;
      if (token === TOKEN_NOP) continue;
      if (token === TOKEN_END) {
        if (open.length > 0) this.fail('token', pathOf(open), tokenAt, 'FDT_END', 'the node must end first');
        else if (root === EMPTY_ROOT) this.fail('token', '/', tokenAt, 'FDT_END', 'there must be a root node');
        return root;
      }
      if (token === TOKEN_BEGIN_NODE) at = this.beginNode(open, root !== EMPTY_ROOT, at, end);
      else if (token === TOKEN_PROPERTY && open.length > 0) at = this.property(open, at, end);
      else if (token === TOKEN_END_NODE && open.length > 0) {
        const { children, name, offset, properties } = open.pop() as OpenNode;
        const node = { name, properties, children, offset };
        if (open.length === 0) root = node;
        else open[open.length - 1].children.push(node);
      } else {
        this.fail('token', pathOf(open), tokenAt, hex(token), 'must be a token that may stand here');
      }
      if (this.fault !== null) return root;
    }
  }

  private beginNode(open: OpenNode[], hasRoot: boolean, at: number, end: number): number {
    const name = this.name(at, end);
    const path = pathOf(open);
    if (name === null) this.fail('name', path, at, 'a node name', NAME_RULE);
    else if (open.length === 0 && (hasRoot || name !== '')) {
      this.fail('name', path, at, `"${name}"`, 'there must be one root node, without a name');
    } else if (open.length > 0 && (name === '' || name.includes('/'))) {
      this.fail('name', path, at, `"${name}"`, 'a node must have a name without "/"');
    } else if (open.length > 0 && open[open.length - 1].childNames.has(name)) {
      this.fail('name', path, at, `"${name}"`, 'no other child may have the same name');
    } else if (open.length >= DEVICE_TREE_DEPTH_MAX) {
      this.fail('too-large', path, at, `level ${open.length + 1}`, `at most ${DEVICE_TREE_DEPTH_MAX} levels`);
    } else if (++this.nodeCount > DEVICE_TREE_NODE_COUNT_MAX) {
      this.fail('too-large', path, at, `node ${this.nodeCount}`, `at most ${DEVICE_TREE_NODE_COUNT_MAX} nodes`);
    } else {
      if (open.length > 0) open[open.length - 1].childNames.add(name);
      const names = { propertyNames: new Set<string>(), childNames: new Set<string>() };
      open.push({ name, properties: [], children: [], ...names, offset: at - 4 });
      return align4(at + name.length + 1);
    }
    return at;
  }

  private property(open: OpenNode[], at: number, end: number): number {
    const node = open[open.length - 1];
    const path = pathOf(open);
    if (at + 8 > end) {
      this.fail('end', path, at, hex(end), 'a property must have a length and a name');
      return at;
    }
    const length = this.view.getUint32(at);
    const nameOffset = this.view.getUint32(at + 4);
    const name = nameOffset < this.stringsEnd - this.stringsAt ? this.string(nameOffset) : null;
    const valueAt = at + 8;
    if (name === null || name === '') this.fail('name', path, at + 4, `string ${hex(nameOffset)}`, NAME_RULE);
    else if (node.children.length > 0) {
      this.fail('token', path, at - 4, `property "${name}"`, 'properties must come before child nodes');
    } else if (valueAt + length > end) {
      this.fail('end', `${path}:${name}`, at, `${length} bytes`, `must fit the ${end - valueAt} bytes that are left`);
    } else if (node.propertyNames.has(name)) {
      this.fail('name', path, at + 4, `property "${name}"`, 'no other property may have the same name');
    } else if (++this.propertyCount > DEVICE_TREE_PROPERTY_COUNT_MAX) {
      const rule = `at most ${DEVICE_TREE_PROPERTY_COUNT_MAX} properties`;
      this.fail('too-large', path, at, `property ${this.propertyCount}`, rule);
    } else {
      node.propertyNames.add(name);
      node.properties.push({ name, value: this.bytes.slice(valueAt, valueAt + length), offset: valueAt });
      return align4(valueAt + length);
    }
    return at;
  }

  private string(offset: number): string | null {
    return this.name(this.stringsAt + offset, this.stringsEnd);
  }

  /** Printable ASCII up to a zero byte before `end`, at most 255 characters; else null. */
  private name(at: number, end: number): string | null {
    let text = '';
    for (let n = at; n < end && n - at <= DEVICE_TREE_NAME_MAX; n++) {
      const byte = this.bytes[n];
      if (byte === 0) return text;
      if (byte < 0x21 || byte > 0x7e) return null;
      text += String.fromCharCode(byte);
    }
    return null;
  }

  private fail(kind: DeviceTreeFaultKind, path: string, offset: number, found: string, rule: string): boolean {
    this.fault ??= { kind, path, offset, found, rule };
    return false;
  }
}

const EMPTY_ROOT: DeviceTreeNode = { name: '', properties: [], children: [] };
const NAME_RULE = 'must be 1 to 255 printable characters before a zero';

class BlobWriter {
  strings = '';
  private bytes = new Uint8Array(1024);
  private length = 0;

  get structure(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  node(node: DeviceTreeNode, depth: number): void {
    assert(depth < DEVICE_TREE_DEPTH_MAX, 'a device tree has at most 32 levels');
    assert(depth === 0 ? node.name === '' : isName(node.name), 'a node has a name, the root has none');
    this.word(TOKEN_BEGIN_NODE);
    this.text(node.name);
    for (const property of node.properties) {
      assert(isName(property.name), 'a property has a name');
      this.word(TOKEN_PROPERTY);
      this.word(property.value.length);
      this.word(this.stringOffset(property.name));
      this.reserve(property.value.length);
      this.bytes.set(property.value, this.length);
      this.length = align4(this.length + property.value.length);
    }
    for (const child of node.children) this.node(child, depth + 1);
    this.word(TOKEN_END_NODE);
  }

  word(value: number): void {
    this.reserve(4);
    const { bytes, length } = this;
    bytes[length] = value >>> 24;
    bytes[length + 1] = value >>> 16;
    bytes[length + 2] = value >>> 8;
    bytes[length + 3] = value;
    this.length += 4;
  }

  private text(value: string): void {
    this.reserve(value.length + 1);
    for (let n = 0; n < value.length; n++) this.bytes[this.length + n] = value.charCodeAt(n);
    this.length = align4(this.length + value.length + 1);
  }

  private stringOffset(name: string): number {
    const found = this.strings.indexOf(`${name}\0`);
    if (found >= 0) return found;
    this.strings += `${name}\0`;
    return this.strings.length - name.length - 1;
  }

  /** Makes room for `more` bytes and padding; what is new is zero. */
  private reserve(more: number): void {
    const needed = this.length + more + 3;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, 2 * this.bytes.length));
    grown.set(this.bytes);
    this.bytes = grown;
  }
}

function isName(name: string): boolean {
  return name.length <= DEVICE_TREE_NAME_MAX && /^[!-.0-~]+$/.test(name);
}

function pathOf(open: readonly OpenNode[]): string {
  return open.length <= 1 ? '/' : open.map((node) => node.name).join('/');
}

function align4(offset: number): number {
  return (offset + 3) & ~3;
}

function hex(value: number): string {
  return `0x${value.toString(16)}`;
}
