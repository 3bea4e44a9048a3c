// A checkpoint of plain state: everything that can be reached from an object is noted once, and put back as often as
// one likes. It lets an explorer begin each execution where the last one began, for a fraction of what a new world
// costs. The core keeps all its state in plain objects (no closure, no private field of the language hides any), so
// that this is possible at all.
//
// Most of what is noted never changes. `restore` puts back only what has ever been seen to change; every now and then
// `verify` looks at all of it. When it finds a change that `restore` did not know of, executions since the last
// verification may have begun in a wrong state: it says so, and the search begins anew, knowing more.
//
// Limits: functions are not followed. A generator that is under way cannot be noted; whoever takes the checkpoint makes
// it anew (`Task.again`). Objects keep the fields that they had.

import { assert } from '../base/assert.ts';

/** Bytes of a buffer that are put back together. */
const BLOCK_BYTES = 512;
/** A field that changes in one object is put back in all of its class, unless there are more of them than this. */
const KIN_MAX = 32;

/** One object, and what was in it. */
interface FieldsNote {
  readonly target: Record<string, unknown>;
  readonly keys: readonly string[];
  readonly values: readonly unknown[];
  /** Indices of the fields that are known to change. */
  readonly hot: number[];
  readonly isHot: boolean[];
  /** Notes of objects of the same class, this one included. */
  readonly kin: FieldsNote[];
}

interface ListNote {
  readonly target: unknown[];
  readonly values: readonly unknown[];
  hot: boolean;
}

interface MapNote {
  readonly target: Map<unknown, unknown>;
  readonly keys: readonly unknown[];
  readonly values: readonly unknown[];
  hot: boolean;
}

interface SetNote {
  readonly target: Set<unknown>;
  readonly values: readonly unknown[];
  hot: boolean;
}

/** A piece of a buffer that changes, and where it belongs. */
interface HotBlock {
  readonly target: Uint8Array;
  readonly saved: Uint8Array;
  readonly offset: number;
}

interface BufferNote {
  readonly bytes: Uint8Array;
  readonly saved: Uint8Array;
  /** The same as words, and the bytes behind the last whole word. */
  readonly words: Int32Array;
  readonly savedWords: Int32Array;
  readonly isHot: boolean[];
}

export class Checkpoint {
  /** Objects that were noted. */
  objectCount = 0;
  private readonly fields: FieldsNote[] = [];
  private readonly lists: ListNote[] = [];
  private readonly maps: MapNote[] = [];
  private readonly sets: SetNote[] = [];
  private readonly buffers: BufferNote[] = [];
  private readonly kin = new Map<unknown, FieldsNote[]>();
  private readonly hotFields: FieldsNote[] = [];
  private readonly hotLists: ListNote[] = [];
  private readonly hotMaps: MapNote[] = [];
  private readonly hotSets: SetNote[] = [];
  private readonly hotBlocks: HotBlock[] = [];

  /** Notes all that `root` leads to, without `except` and what only they lead to. */
  constructor(root: object, except: ReadonlySet<unknown>) {
    const seen = new Set<unknown>(except);
    const pending: unknown[] = [root];
    while (pending.length > 0) {
      const value = pending.pop();
      if (typeof value !== 'object' || value === null || seen.has(value)) continue;
      seen.add(value);
      this.note(value, pending, seen);
    }
    this.objectCount = seen.size - except.size;
  }

  /** Puts back what is known to change. */
  restore(): void {
    for (const { hot, keys, target, values } of this.hotFields) {
      for (let n = 0; n < hot.length; n++) target[keys[hot[n]]] = values[hot[n]];
    }
    for (const { target, values } of this.hotLists) {
      target.length = values.length;
      for (let n = 0; n < values.length; n++) if (target[n] !== values[n]) target[n] = values[n];
    }
    for (const note of this.hotMaps) if (!sameMap(note)) restoreMap(note);
    for (const note of this.hotSets) if (!sameSet(note)) restoreSet(note);
    for (const { offset, saved, target } of this.hotBlocks) target.set(saved, offset);
  }

  /** After `restore`: looks at everything, puts back what is wrong, and remembers it; false when something was. */
  verify(): boolean {
    let clean = true;
    for (const note of this.fields) if (!this.verifyFields(note)) clean = false;
    for (const note of this.lists) {
      if (note.hot || sameList(note)) continue;
      note.hot = true;
      this.hotLists.push(note);
      clean = false;
    }
    for (const note of this.maps) {
      if (note.hot || sameMap(note)) continue;
      note.hot = true;
      this.hotMaps.push(note);
      clean = false;
    }
    for (const note of this.sets) {
      if (note.hot || sameSet(note)) continue;
      note.hot = true;
      this.hotSets.push(note);
      clean = false;
    }
    for (const note of this.buffers) if (!this.verifyBuffer(note)) clean = false;
    if (!clean) this.restore();
    return clean;
  }

  private verifyFields(note: FieldsNote): boolean {
    const { isHot, keys, kin, target, values } = note;
    let clean = true;
    for (let n = 0; n < keys.length; n++) {
      if (isHot[n] || Object.is(target[keys[n]], values[n])) continue;
      clean = false;
      if (kin.length > KIN_MAX) this.heat(note, n);
      else for (const one of kin) this.heat(one, one.keys.indexOf(keys[n]));
    }
    return clean;
  }

  private heat(note: FieldsNote, n: number): void {
    if (n < 0 || note.isHot[n]) return;
    if (note.hot.length === 0) this.hotFields.push(note);
    note.isHot[n] = true;
    note.hot.push(n);
  }

  private verifyBuffer({ bytes, isHot, saved, savedWords, words }: BufferNote): boolean {
    let clean = true;
    const wordsPerBlock = BLOCK_BYTES / 4;
    for (let block = 0; block < isHot.length; block++) {
      if (isHot[block]) continue;
      const from = block * BLOCK_BYTES;
      const to = Math.min(from + BLOCK_BYTES, bytes.length);
      let same = true;
      const lastWord = Math.min((block + 1) * wordsPerBlock, words.length);
      for (let n = block * wordsPerBlock; n < lastWord && same; n++) same = words[n] === savedWords[n];
      for (let n = Math.max(from, 4 * words.length); n < to && same; n++) same = bytes[n] === saved[n];
      if (same) continue;
      isHot[block] = true;
      this.hotBlocks.push({ target: bytes, saved: saved.subarray(from, to), offset: from });
      clean = false;
    }
    return clean;
  }

  private note(value: object, pending: unknown[], seen: Set<unknown>): void {
    if (ArrayBuffer.isView(value)) {
      if (!seen.has(value.buffer)) {
        seen.add(value.buffer);
        this.noteBuffer(value.buffer as ArrayBuffer);
      }
    } else if (value instanceof ArrayBuffer) this.noteBuffer(value);
    else if (Array.isArray(value)) {
      this.lists.push({ target: value, values: value.slice(), hot: false });
      for (const one of value) pending.push(one);
    } else if (value instanceof Map) {
      this.maps.push({ target: value, keys: [...value.keys()], values: [...value.values()], hot: false });
      for (const [key, one] of value) pending.push(key, one);
    } else if (value instanceof Set) {
      this.sets.push({ target: value, values: [...value], hot: false });
      for (const one of value) pending.push(one);
    } else this.noteFields(value as Record<string, unknown>, pending);
  }

  private noteFields(target: Record<string, unknown>, pending: unknown[]): void {
    if (Object.isFrozen(target)) {
      for (const one of Object.values(target)) pending.push(one);
      return;
    }
    assert(Object.prototype.toString.call(target) !== '[object Generator]', 'nothing is under way at a checkpoint');
    const keys: string[] = [];
    const values: unknown[] = [];
    for (const key of Object.keys(target)) {
      if (Object.getOwnPropertyDescriptor(target, key)?.get !== undefined) continue;
      const one = target[key];
      if (isGenerator(one)) continue;
      keys.push(key);
      values.push(one);
      pending.push(one);
    }
    if (keys.length === 0) return;
    const note = { target, keys, values, hot: [], isHot: keys.map(() => false), kin: this.kinOf(target) };
    note.kin.push(note);
    this.fields.push(note);
  }

  /** Notes of the objects of the same class; a plain object is alone. */
  private kinOf(target: object): FieldsNote[] {
    const prototype: unknown = Object.getPrototypeOf(target);
    if (prototype === Object.prototype || prototype === null) return [];
    const known = this.kin.get(prototype);
    if (known !== undefined) return known;
    const kin: FieldsNote[] = [];
    this.kin.set(prototype, kin);
    return kin;
  }

  private noteBuffer(buffer: ArrayBuffer): void {
    const bytes = new Uint8Array(buffer);
    const saved = bytes.slice();
    const wordCount = bytes.length >> 2;
    this.buffers.push({
      bytes,
      saved,
      words: new Int32Array(buffer, 0, wordCount),
      savedWords: new Int32Array(saved.buffer, 0, wordCount),
      isHot: new Array(Math.ceil(bytes.length / BLOCK_BYTES)).fill(false),
    });
  }
}

function isGenerator(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Generator]';
}

function sameList({ target, values }: ListNote): boolean {
  if (target.length !== values.length) return false;
  for (let n = 0; n < values.length; n++) if (!Object.is(target[n], values[n])) return false;
  return true;
}

function sameMap({ keys, target, values }: MapNote): boolean {
  if (target.size !== keys.length) return false;
  let n = 0;
  for (const [key, value] of target) {
    if (key !== keys[n] || !Object.is(value, values[n])) return false;
    n++;
  }
  return true;
}

function restoreMap({ keys, target, values }: MapNote): void {
  target.clear();
  for (let n = 0; n < keys.length; n++) target.set(keys[n], values[n]);
}

function sameSet({ target, values }: SetNote): boolean {
  if (target.size !== values.length) return false;
  let n = 0;
  for (const value of target) if (value !== values[n++]) return false;
  return true;
}

function restoreSet({ target, values }: SetNote): void {
  target.clear();
  for (const value of values) target.add(value);
}
