// Device-tree blobs: ours against dtc's, and bad blobs.

import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  DEVICE_TREE_DEPTH_MAX,
  type DeviceTree,
  type DeviceTreeFaultKind,
  type DeviceTreeNode,
  decodeDeviceTree,
  encodeDeviceTree,
} from '../../src/abi/device-tree.ts';
import {
  cellsProperty,
  childOf,
  emptyProperty,
  number64Property,
  propertyOf,
  readCells,
  readText,
  readTexts,
  textProperty,
} from '../../src/abi/device-tree-values.ts';
import type { Fault } from '../../src/abi/fault.ts';
import { requireTool } from '../require.ts';
import { hexOf } from './codec-rows.ts';

const TREE: DeviceTree = {
  bootCpu: 3,
  reservations: [{ address: { low: 0x1000, high: 1 }, size: { low: 0x2000, high: 0 } }],
  root: {
    name: '',
    properties: [textProperty('compatible', 'arm,one', 'arm,two'), cellsProperty('#address-cells', 2)],
    children: [
      { name: 'empty', properties: [], children: [] },
      {
        name: 'uart@1c0b0000',
        properties: [
          number64Property('base-address', 0x1_1c0b_0000),
          emptyProperty('exclusive-access'),
          { name: 'bytes', value: Uint8Array.from([1, 2, 0xff]) },
          cellsProperty('cells', 1, 2, 0xffffffff),
        ],
        children: [{ name: 'deep', properties: [textProperty('address', 'x')], children: [] }],
      },
    ],
  },
};

/** A tree without the offsets that a reader adds. */
function withoutOffsets(node: DeviceTreeNode): DeviceTreeNode {
  return {
    name: node.name,
    properties: node.properties.map(({ name, value }) => ({ name, value })),
    children: node.children.map(withoutOffsets),
  };
}

function decoded(bytes: Uint8Array): DeviceTree {
  const result = decodeDeviceTree(bytes);
  if (!result.ok) throw new Error(JSON.stringify(result.fault));
  return { ...result.value, root: withoutOffsets(result.value.root) };
}

/** dtc's answer on standard output. */
function dtc(input: Uint8Array | string, from: 'dts' | 'dtb', to: 'dts' | 'dtb'): Buffer {
  return execFileSync('dtc', ['-q', '-I', from, '-O', to, '-o', '-', '-'], { input });
}

test('decode(encode(x)) = x; offsets point into the blob', () => {
  const bytes = encodeDeviceTree(TREE);
  expect(decoded(bytes)).toEqual(TREE);
  const result = decodeDeviceTree(bytes);
  const uart = result.ok ? childOf(result.value.root, 'uart@1c0b0000') : undefined;
  const property = uart && propertyOf(uart, 'bytes');
  expect(property?.offset !== undefined && hexOf(bytes.subarray(property.offset, property.offset + 4))).toBe(
    '0102ff00',
  );
  expect(uart?.offset !== undefined && hexOf(bytes.subarray(uart.offset, uart.offset + 8))).toBe('0000000175617274');
});

test('a blob inside a longer buffer', () => {
  const blob = encodeDeviceTree(TREE);
  const buffer = new Uint8Array(blob.length + 100).fill(0xa5);
  buffer.set(blob, 33);
  expect(decoded(buffer.subarray(33))).toEqual(TREE);
});

requireTool('dtc', 'apt-get install device-tree-compiler')('against dtc', () => {
  test('our blob as dtc reads it', () => {
    // How dtc prints numbers and lists of strings changes with its version; what is in the tree does not.
    const printed = dtc(encodeDeviceTree(TREE), 'dtb', 'dts').toString('utf8').replaceAll(/\s+/g, ' ');
    expect(printed).toMatch(/^\/dts-v1\/; \/memreserve\/ 0x0*100001000 0x0*2000; \/ \{ compatible = "arm,one/);
    expect(printed).toContain('empty { }; uart@1c0b0000 { base-address = ');
    expect(printed).toContain('exclusive-access; bytes = [01 02 ff]; cells = ');
    expect(printed).toMatch(/deep \{ address = "x"; \}; \}; \}; $/);
  });

  test("dtc's blob as we read it, and back byte for byte", () => {
    const source = `/dts-v1/;
      /memreserve/ 0x100001000 0x2000;
      / {
        compatible = "arm,one", "arm,two";
        #address-cells = <2>;
        empty { };
        uart: uart@1c0b0000 {
          base-address = <0x1 0x1c0b0000>;
          exclusive-access;
          bytes = [01 02 ff];
          cells = <1 2 0xffffffff>;
          deep { address = "x"; };
        };
        alias { target = <&uart>; suffix-of-a-name = <1>; of-a-name = "y"; };
      };`;
    const blob = new Uint8Array(dtc(source, 'dts', 'dtb'));
    const tree = decoded(blob);
    expect(tree.reservations).toEqual(TREE.reservations);
    expect(tree.root.children[0]).toEqual(TREE.root.children[0]);
    const uart = tree.root.children[1];
    expect(uart.properties.slice(0, 4)).toEqual(TREE.root.children[1].properties);
    expect(uart.properties[4]).toEqual(cellsProperty('phandle', 1));
    expect(uart.children).toEqual(TREE.root.children[1].children);
    expect(hexOf(encodeDeviceTree(tree))).toBe(hexOf(blob));
  });

  test('dts to dtb to dts through both says the same', () => {
    const text = dtc(encodeDeviceTree(TREE), 'dtb', 'dts');
    const blob = dtc(text, 'dts', 'dtb');
    expect(decoded(new Uint8Array(blob)).root).toEqual(TREE.root);
  });
});

test('values of properties', () => {
  expect(readCells(cellsProperty('x', 1, 0x80000000).value)).toEqual([1, 0x80000000]);
  expect(readCells(Uint8Array.from([1, 2, 3]))).toBeUndefined();
  expect(readCells(number64Property('x', 0x123456789a).value)).toEqual([0x12, 0x3456789a]);
  expect(readTexts(textProperty('x', 'a', '', 'bc').value)).toEqual(['a', '', 'bc']);
  expect(readText(textProperty('x', 'abc').value)).toBe('abc');
  expect(readText(textProperty('x', 'a', 'b').value)).toBeUndefined();
  expect([[], [0x61], [0x07, 0], [0xc3, 0xa4, 0]].map((bytes) => readTexts(Uint8Array.from(bytes)))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

/** Header, structure and strings from words: for blobs that our writer would not write. */
function blob(
  structure: readonly number[],
  strings = 'a\0',
  header: Readonly<Record<number, number>> = {},
): Uint8Array {
  const structureAt = 56;
  const stringsAt = structureAt + 4 * structure.length;
  const bytes = new Uint8Array(stringsAt + strings.length);
  const view = new DataView(bytes.buffer);
  const fields = [
    0xd00dfeed,
    bytes.length,
    structureAt,
    stringsAt,
    40,
    17,
    16,
    0,
    strings.length,
    4 * structure.length,
  ];
  fields.forEach((field, n) => {
    view.setUint32(4 * n, header[4 * n] ?? field);
  });
  structure.forEach((word, n) => {
    view.setUint32(structureAt + 4 * n, word);
  });
  for (let n = 0; n < strings.length; n++) bytes[stringsAt + n] = strings.charCodeAt(n);
  return bytes;
}

const BEGIN = [1, 0];
/** BEGIN_NODE with the name "a". */
const BEGIN_A = [1, 0x61000000];
const NAME_RULE = 'must be 1 to 255 printable characters before a zero';
type Row = readonly [name: string, bytes: Uint8Array, fault: Fault<DeviceTreeFaultKind>];

const FAULTS: readonly Row[] = [
  [
    'nothing',
    new Uint8Array(0),
    { kind: 'too-short', path: 'header', offset: 0, found: '0 bytes', rule: 'needs 40 bytes' },
  ],
  [
    'another magic',
    blob([9], '', { 0: 0xd00dfeee }),
    { kind: 'header', path: 'magic', offset: 0, found: '0xd00dfeee', rule: 'must be 0xd00dfeed' },
  ],
  [
    'cut off',
    blob([...BEGIN, 2, 9]).subarray(0, 60),
    { kind: 'too-short', path: 'totalsize', offset: 4, found: '60 bytes', rule: 'needs 74 bytes' },
  ],
  [
    'larger than 2 MiB',
    blob([9], '', { 4: 2097153 }),
    { kind: 'too-large', path: 'totalsize', offset: 4, found: '2097153', rule: 'must be 2097152 or less' },
  ],
  [
    'version 16',
    blob([9], '', { 20: 16 }),
    {
      kind: 'version',
      path: 'version',
      offset: 20,
      found: '16, compatible with 16',
      rule: 'must be 17, or compatible with 17',
    },
  ],
  [
    'a version that 17 cannot read',
    blob([9], '', { 20: 19, 24: 18 }),
    {
      kind: 'version',
      path: 'version',
      offset: 20,
      found: '19, compatible with 18',
      rule: 'must be 17, or compatible with 17',
    },
  ],
  [
    'strings outside',
    blob([9], 'a\0', { 12: 0xffffffff }),
    {
      kind: 'block',
      path: 'off_dt_strings',
      offset: 12,
      found: '0xffffffff to 0x100000001',
      rule: 'must be aligned to 1, and lie after the header and before 0x3e',
    },
  ],
  [
    'structure not aligned',
    blob([9, 9], 'a\0', { 8: 57, 36: 4 }),
    {
      kind: 'block',
      path: 'off_dt_struct',
      offset: 8,
      found: '0x39 to 0x3d',
      rule: 'must be aligned to 4, and lie after the header and before 0x42',
    },
  ],
  [
    'reservations inside the header',
    blob([9], 'a\0', { 16: 32 }),
    {
      kind: 'block',
      path: 'off_mem_rsvmap',
      offset: 16,
      found: '0x20 to 0x30',
      rule: 'must be aligned to 8, and lie after the header and before 0x3e',
    },
  ],
  [
    'reservations without an end',
    blob([1, 0, 0, 0], '', { 16: 56, 36: 0 }),
    {
      kind: 'end',
      path: 'reservations',
      offset: 72,
      found: '0x48',
      rule: 'must end with an entry of zeros',
    },
  ],
  ['no root', blob([9]), { kind: 'token', path: '/', offset: 56, found: 'FDT_END', rule: 'there must be a root node' }],
  [
    'a root with a name',
    blob([...BEGIN_A, 2, 9]),
    { kind: 'name', path: '/', offset: 60, found: '"a"', rule: 'there must be one root node, without a name' },
  ],
  [
    'two roots',
    blob([...BEGIN, 2, ...BEGIN, 2, 9]),
    { kind: 'name', path: '/', offset: 72, found: '""', rule: 'there must be one root node, without a name' },
  ],
  [
    'a node without a name',
    blob([...BEGIN, ...BEGIN, 2, 2, 9]),
    { kind: 'name', path: '/', offset: 68, found: '""', rule: 'a node must have a name without "/"' },
  ],
  [
    'a name with a slash',
    blob([...BEGIN, 1, 0x2f000000, 2, 2, 9]),
    { kind: 'name', path: '/', offset: 68, found: '"/"', rule: 'a node must have a name without "/"' },
  ],
  [
    'a name that does not end',
    blob([...BEGIN, 1, 0x61616161]),
    { kind: 'name', path: '/', offset: 68, found: 'a node name', rule: NAME_RULE },
  ],
  [
    'a name that is not printable',
    blob([...BEGIN, 1, 0xff000000, 2, 2, 9]),
    { kind: 'name', path: '/', offset: 68, found: 'a node name', rule: NAME_RULE },
  ],
  [
    'two children of one name',
    blob([...BEGIN, ...BEGIN_A, 2, ...BEGIN_A, 2, 2, 9]),
    { kind: 'name', path: '/', offset: 80, found: '"a"', rule: 'no other child may have the same name' },
  ],
  [
    'an unknown token',
    blob([...BEGIN, 5, 2, 9]),
    { kind: 'token', path: '/', offset: 64, found: '0x5', rule: 'must be a token that may stand here' },
  ],
  [
    'a property outside a node',
    blob([3, 0, 0, 9]),
    { kind: 'token', path: '/', offset: 56, found: '0x3', rule: 'must be a token that may stand here' },
  ],
  [
    'an end too many',
    blob([...BEGIN, 2, 2, 9]),
    { kind: 'token', path: '/', offset: 68, found: '0x2', rule: 'must be a token that may stand here' },
  ],
  [
    'an end too few',
    blob([...BEGIN, ...BEGIN_A, 2, 9]),
    { kind: 'token', path: '/', offset: 76, found: 'FDT_END', rule: 'the node must end first' },
  ],
  [
    'no end at all',
    blob([...BEGIN, ...BEGIN_A, 4]),
    { kind: 'end', path: '/a', offset: 76, found: '0x4c', rule: 'must end with FDT_END' },
  ],
  [
    'a property that is cut off',
    blob([...BEGIN, 3, 0]),
    { kind: 'end', path: '/', offset: 68, found: '0x48', rule: 'a property must have a length and a name' },
  ],
  [
    'a property longer than what is left',
    blob([...BEGIN, 3, 0xfffffff0, 0, 2, 9]),
    {
      kind: 'end',
      path: '/:a',
      offset: 68,
      found: '4294967280 bytes',
      rule: 'must fit the 8 bytes that are left',
    },
  ],
  [
    'a property name outside the strings',
    blob([...BEGIN, 3, 0, 2, 2, 9]),
    { kind: 'name', path: '/', offset: 72, found: 'string 0x2', rule: NAME_RULE },
  ],
  [
    'two properties of one name',
    blob([...BEGIN, 3, 0, 0, 3, 0, 0, 2, 9]),
    {
      kind: 'name',
      path: '/',
      offset: 84,
      found: 'property "a"',
      rule: 'no other property may have the same name',
    },
  ],
  [
    'a property after a child',
    blob([...BEGIN, ...BEGIN_A, 2, 3, 0, 0, 2, 9]),
    {
      kind: 'token',
      path: '/',
      offset: 76,
      found: 'property "a"',
      rule: 'properties must come before child nodes',
    },
  ],
  [
    'too many levels',
    blob([...BEGIN, ...Array.from({ length: DEVICE_TREE_DEPTH_MAX }, () => BEGIN_A).flat()]),
    {
      kind: 'too-large',
      path: `${'/a'.repeat(DEVICE_TREE_DEPTH_MAX - 1)}`,
      offset: 56 + 8 * DEVICE_TREE_DEPTH_MAX + 4,
      found: 'level 33',
      rule: 'at most 32 levels',
    },
  ],
];

describe('bad blobs', () => {
  test.each(FAULTS)('%s', (_, bytes, fault) => {
    expect(decodeDeviceTree(bytes)).toEqual({ ok: false, fault, fields: [] });
  });

  test('too many nodes, too many properties', () => {
    const children = Array.from({ length: 16384 }, (_, n) => ({ name: `n${n}`, properties: [], children: [] }));
    const nodes = decodeDeviceTree(encodeDeviceTree({ ...TREE, root: { name: '', properties: [], children } }));
    expect(!nodes.ok && [nodes.fault.found, nodes.fault.rule]).toEqual(['node 16385', 'at most 16384 nodes']);
    // Each suffix of a long string is a name of its own.
    const strings = Array.from({ length: 300 }, (_, n) => `${'x'.repeat(250)}${n}\0`).join('');
    const words = [...BEGIN];
    for (let n = 0, at = 0; n <= 65536; n++, at++) {
      if (strings[at] !== 'x') at = strings.indexOf('x', at);
      words.push(3, 0, at);
    }
    const properties = decodeDeviceTree(blob(words, strings));
    expect(!properties.ok && [properties.fault.found, properties.fault.rule]).toEqual([
      'property 65537',
      'at most 65536 properties',
    ]);
  });

  test('a padded token stream is fine', () => {
    expect(decoded(blob([4, ...BEGIN, 4, 3, 0, 0, 4, 2, 4, 9])).root.properties).toEqual([emptyProperty('a')]);
  });

  test('random and mutated blobs never throw', () => {
    const good = encodeDeviceTree(TREE);
    const mutation = fc.tuple(fc.nat({ max: good.length - 1 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 8 }), (mutations) => {
        const bytes = Uint8Array.from(good);
        for (const [offset, value] of mutations) bytes[offset] = value;
        decodeDeviceTree(bytes);
      }),
      { numRuns: 2000 },
    );
    const words = fc.array(fc.oneof(fc.constantFrom(0, 1, 2, 3, 4, 9, 0x61000000), fc.nat({ max: 0xffffffff })), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(words, (structure) => {
        decodeDeviceTree(blob([...BEGIN, ...structure, 2, 9]));
      }),
      { numRuns: 2000 },
    );
  });

  test('any tree: decode(encode(x)) = x', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9,.-]{0,11}$/);
    const property = fc.record({ name, value: fc.uint8Array({ maxLength: 9 }).map((bytes) => Uint8Array.from(bytes)) });
    const unique = { selector: (one: { name: string }) => one.name, maxLength: 3 };
    const leaf = fc.record({ name, properties: fc.uniqueArray(property, unique), children: fc.constant([]) });
    const middle = fc.record({
      name,
      properties: fc.uniqueArray(property, unique),
      children: fc.uniqueArray(leaf, unique),
    });
    const root = fc.record({
      name: fc.constant(''),
      properties: fc.uniqueArray(property, unique),
      children: fc.uniqueArray(middle, unique),
    });
    fc.assert(
      fc.property(root, (one) => {
        const tree = { bootCpu: 0, reservations: [], root: one };
        expect(decoded(encodeDeviceTree(tree))).toEqual(tree);
      }),
    );
  });
});
