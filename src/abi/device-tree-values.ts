// Values of device-tree properties: cells (32-bit, big-endian), 64-bit numbers as two cells, strings, nothing. Reading
// gives undefined where the bytes do not have that shape.

import { assert } from '../base/assert.ts';
import type { DeviceTreeNode, DeviceTreeProperty } from './device-tree.ts';
import { wordsOf } from './words.ts';

/** The property of that name. */
export function propertyOf(node: DeviceTreeNode, name: string): DeviceTreeProperty | undefined {
  return node.properties.find((property) => property.name === name);
}

/** The child of that name (with unit address, if it has one). */
export function childOf(node: DeviceTreeNode, name: string): DeviceTreeNode | undefined {
  return node.children.find((child) => child.name === name);
}

/** The cells, or undefined if the value is not whole cells. */
export function readCells(value: Uint8Array): number[] | undefined {
  if (value.length % 4 !== 0) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const cells: number[] = [];
  for (let at = 0; at < value.length; at += 4) cells.push(view.getUint32(at));
  return cells;
}

/** One string that ends with its only zero byte and has printable ASCII before it. */
export function readText(value: Uint8Array): string | undefined {
  const texts = readTexts(value);
  return texts !== undefined && texts.length === 1 ? texts[0] : undefined;
}

/** One string or several, each ending with a zero byte. */
export function readTexts(value: Uint8Array): string[] | undefined {
  if (value.length === 0 || value[value.length - 1] !== 0) return undefined;
  const texts: string[] = [];
  let text = '';
  for (const byte of value) {
    if (byte === 0) {
      texts.push(text);
      text = '';
    } else if (byte < 0x20 || byte > 0x7e) return undefined;
    else text += String.fromCharCode(byte);
  }
  return texts;
}

/** `name = <cells>` */
export function cellsProperty(name: string, ...cells: readonly number[]): DeviceTreeProperty {
  const value = new Uint8Array(4 * cells.length);
  const view = new DataView(value.buffer);
  for (let n = 0; n < cells.length; n++) view.setUint32(4 * n, cells[n]);
  return { name, value };
}

/** `name = <high low>`: a number below 2^53 in two cells. */
export function number64Property(name: string, value: number): DeviceTreeProperty {
  assert(Number.isSafeInteger(value) && value >= 0, 'a 64-bit number is an exact integer');
  const { high, low } = wordsOf(value);
  return cellsProperty(name, high, low);
}

/** `name = "text", "text"` */
export function textProperty(name: string, ...texts: readonly string[]): DeviceTreeProperty {
  const joined = texts.map((text) => `${text}\0`).join('');
  return { name, value: Uint8Array.from(joined, (character) => character.charCodeAt(0)) };
}

/** `name;` */
export function emptyProperty(name: string): DeviceTreeProperty {
  return { name, value: new Uint8Array(0) };
}
