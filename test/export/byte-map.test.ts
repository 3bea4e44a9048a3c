import { describe, expect, it } from 'vitest';
import type { Fault, FieldSpan } from '../../src/abi/fault.ts';
import { byteMap } from '../../src/export/byte-map.ts';
import { labelFields } from '../../src/export/field-labels.ts';
import { fieldTree } from '../../src/export/field-tree.ts';
import { plainText } from '../../src/export/styled-text.ts';

const FIELDS: readonly FieldSpan[] = [
  { path: 'sender', offset: 0, length: 2, text: '0x8001' },
  { path: 'reserved', offset: 2, length: 6, text: '0' },
  { path: 'list[0].address', offset: 8, length: 8, text: '0x1000' },
  { path: 'list[0].count', offset: 16, length: 4, text: '1' },
];

function bytes(count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, n) => n);
}

function map(size: number, fields: readonly FieldSpan[], fault: Fault<string> | null = null, all = false): string {
  return plainText(byteMap(bytes(size), labelFields(fields, fault, size), { all }));
}

describe('byteMap', () => {
  it('gives each field a letter, and reserved ones a dot', () => {
    expect(map(20, FIELDS)).toMatchInlineSnapshot(`
      " 0000 │ 00 01 02 03 04 05 06 07 ┊ 08 09 0a 0b 0c 0d 0e 0f │ aa......┊bbbbbbbb
       0010 │ 10 11 12 13             ┊                         │ cccc
      "
    `);
  });

  it('marks the field that a fault names, with its rule', () => {
    const fault = { kind: 'offset-outside', path: 'list[0].count', offset: 16, found: '1', rule: 'must be 2' };
    expect(map(20, FIELDS, fault)).toMatchInlineSnapshot(`
      " 0000 │ 00 01 02 03 04 05 06 07 ┊ 08 09 0a 0b 0c 0d 0e 0f │ aa......┊bbbbbbbb
       0010 │ 10 11 12 13             ┊                         │ cccc
            │ ^^ ^^ ^^ ^^                                       │ count: must be 2
      "
    `);
  });

  it('marks a remark as it marks a fault', () => {
    const remarked = FIELDS.map((field) => (field.path === 'reserved' ? { ...field, rule: 'must be zero' } : field));
    expect(map(16, remarked)).toContain('│       ^^ ^^ ^^ ^^ ^^ ^^                           │ reserved: must be zero');
  });

  it('shows what is missing past the end as an empty cell', () => {
    const fault = { kind: 'too-short', path: 'list[0].count', offset: 16, found: '16 bytes', rule: 'needs 20 bytes' };
    expect(map(16, FIELDS.slice(0, 3), fault)).toMatchInlineSnapshot(`
      " 0000 │ 00 01 02 03 04 05 06 07 ┊ 08 09 0a 0b 0c 0d 0e 0f │ aa......┊bbbbbbbb
       0010 │ --                      ┊                         │
            │ ^^                                                │ count: needs 20 bytes
      "
    `);
  });

  it('marks the part of a field that is there when the rest is not', () => {
    const fault = { kind: 'too-short', path: 'list[0].count', offset: 16, found: '18 bytes', rule: 'needs 20 bytes' };
    expect(map(18, FIELDS.slice(0, 3), fault)).toContain(
      ' 0010 │ 10 11 --                ┊                         │ ??',
    );
  });

  it('says nothing in the map about a length that the call states', () => {
    const fault = {
      kind: 'length-unaligned',
      path: 'length',
      offset: 0,
      found: '17',
      rule: 'must be a multiple of 16',
    };
    expect(map(17, [], fault)).not.toContain('^');
  });

  it('squeezes rows that repeat inside one field, and never where a new field begins', () => {
    const zeroes = new Uint8Array(80);
    const fields = [
      { path: 'payload', offset: 0, length: 64, text: '' },
      { path: 'tail', offset: 64, length: 16, text: '' },
    ];
    expect(plainText(byteMap(zeroes, labelFields(fields, null, 80)))).toMatchInlineSnapshot(`
      " 0000 │ 00 00 00 00 00 00 00 00 ┊ 00 00 00 00 00 00 00 00 │ aaaaaaaa┊aaaaaaaa
             *
       0040 │ 00 00 00 00 00 00 00 00 ┊ 00 00 00 00 00 00 00 00 │ bbbbbbbb┊bbbbbbbb
      "
    `);
  });

  it('cuts a long map and says so, but keeps rows with something wrong', () => {
    const size = 16 * 100;
    const field = { path: 'payload', offset: 0, length: size, text: '' };
    const wrong = { path: 'late', offset: 16 * 90, length: 2, text: '', rule: 'must not be here' };
    const cut = map(size, [field, wrong]);
    expect(cut).toContain('… 66 more rows (--all shows them)');
    expect(cut).toContain('late: must not be here');
    expect(cut.split('\n').length).toBeLessThan(40);
    expect(map(size, [field, wrong], null, true).split('\n')).toHaveLength(102);
  });

  it('widens offsets when they need it', () => {
    expect(map(0x1_0010, [], null, true)).toContain('\n 10000 │');
  });
});

describe('fieldTree', () => {
  it('indents by the path, with letter, offset, length and value', () => {
    expect(plainText(fieldTree(labelFields(FIELDS, null, 20)))).toMatchInlineSnapshot(`
      " a  0x0    2  sender     0x8001
       .  0x2    6  reserved   0
                   list[0]
       b  0x8    8    address  0x1000
       c 0x10    4    count    1
      "
    `);
  });

  it('shows a field that could not be read, without a length', () => {
    const fault = { kind: 'too-short', path: 'list[0].count', offset: 16, found: '16 bytes', rule: 'needs 20 bytes' };
    const tree = plainText(fieldTree(labelFields(FIELDS.slice(0, 3), fault, 16)));
    expect(tree).toContain('!? 0x10    -    count    16 bytes\n               ^ needs 20 bytes\n');
  });

  it('cuts a long array, but keeps its last element and those with something wrong', () => {
    const long = Array.from({ length: 20 }, (_, n) => ({
      path: `list[${n}].address`,
      offset: 8 * n,
      length: 8,
      text: String(n),
      ...(n === 12 ? { rule: 'odd' } : {}),
    }));
    const tree = plainText(fieldTree(labelFields(long, null, 160)));
    expect([...tree.matchAll(/list\[(\d+)\]\n/g)].map((match) => Number(match[1]))).toEqual([0, 1, 2, 3, 4, 5, 12, 19]);
    expect(tree).toContain('… 12 more of list (--all shows them)');
    const whole = plainText(fieldTree(labelFields(long, null, 160), { all: true }));
    expect([...whole.matchAll(/list\[\d+\]\n/g)]).toHaveLength(20);
  });

  it('begins the letters anew after 52 fields', () => {
    const many = Array.from({ length: 54 }, (_, n) => ({ path: `f${n}`, offset: n, length: 1, text: '' }));
    const letters = labelFields(many, null, 54).map((field) => field.letter);
    expect([letters[0], letters[51], letters[52], letters[53]]).toEqual(['a', 'Z', 'a', 'b']);
  });
});
