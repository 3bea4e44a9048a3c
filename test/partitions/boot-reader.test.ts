import { describe, expect, test } from 'vitest';
import {
  bootName,
  buildBootInformation,
  encodeBootInformation,
  encodeBootInformation10,
} from '../../src/abi/boot-information.ts';
import { encodeDeviceTree } from '../../src/abi/device-tree.ts';
import { textProperty } from '../../src/abi/device-tree-values.ts';
import {
  BOOT_FLAG_CONTENT_VALUE,
  BOOT_TYPE_FDT,
  BOOT_TYPE_HOB,
  BOOT_TYPE_IMPDEF_BIT,
} from '../../src/abi/layout/boot-information.ts';
import { FFA_VERSION_1_1 } from '../../src/abi/versions.ts';
import { wordsOf } from '../../src/abi/words.ts';
import { manifestText, readBootInformation } from '../../src/partitions/boot-reader.ts';
import { FlatMemory, RAM_BASE } from './fake-door.ts';

const CONTENT = RAM_BASE + 0x1000;

function memoryWith(head: Uint8Array, content: Uint8Array = new Uint8Array()): FlatMemory {
  const memory = new FlatMemory();
  memory.write(RAM_BASE, head, 0, head.length);
  memory.write(CONTENT, content, 0, content.length);
  return memory;
}

function descriptor(type: number, length: number, flags = 0) {
  return { name: bootName(''), type, flags, contentSizeBytes: length, content: wordsOf(CONTENT) };
}

describe('boot information', () => {
  test('of 1.1: contents at addresses, by their kind; values are passed over', () => {
    const head = encodeBootInformation(
      buildBootInformation(FFA_VERSION_1_1, [
        descriptor(BOOT_TYPE_FDT, 2),
        descriptor(BOOT_TYPE_HOB, 3),
        descriptor(BOOT_TYPE_IMPDEF_BIT, 1),
        descriptor(BOOT_TYPE_FDT, 8, BOOT_FLAG_CONTENT_VALUE),
      ]),
    );
    expect(readBootInformation(memoryWith(head, new Uint8Array([5, 6, 7])), RAM_BASE)).toEqual({
      form: '1.1',
      contents: [
        { kind: 'manifest', bytes: new Uint8Array([5, 6]) },
        { kind: 'hob-list', bytes: new Uint8Array([5, 6, 7]) },
        { kind: 'other', bytes: new Uint8Array([5]) },
      ],
    });
  });

  test('of 1.0: a manifest', () => {
    const head = encodeBootInformation10([{ name: bootName('TYPE_DT'), value: wordsOf(CONTENT), size: wordsOf(1) }]);
    expect(readBootInformation(memoryWith(head, new Uint8Array([9])), RAM_BASE)).toEqual({
      form: '1.0',
      contents: [{ kind: 'manifest', bytes: new Uint8Array([9]) }],
    });
  });

  test('is none without an address, in memory that is not there, or of another form', () => {
    expect(readBootInformation(memoryWith(new Uint8Array()), 0)).toBeNull();
    expect(readBootInformation(memoryWith(new Uint8Array()), 0x1000)).toBeNull();
    expect(readBootInformation(memoryWith(new Uint8Array([1, 2, 3])), RAM_BASE)).toBeNull();
  });

  test('with contents that are too long, or out of reach, is what is left of it', () => {
    const far = { ...descriptor(BOOT_TYPE_FDT, 4), content: wordsOf(0x1000) };
    const long = descriptor(BOOT_TYPE_FDT, 0x20_0000);
    const head = encodeBootInformation(buildBootInformation(FFA_VERSION_1_1, [far, long]));
    expect(readBootInformation(memoryWith(head), RAM_BASE)).toEqual({ form: '1.1', contents: [] });
  });
});

test('a text of a manifest', () => {
  const root = { name: '', properties: [textProperty('description', 'crypto')], children: [] };
  const blob = encodeDeviceTree({ bootCpu: 0, reservations: [], root });
  expect(manifestText(blob, 'description')).toBe('crypto');
  expect(manifestText(blob, 'compatible')).toBeUndefined();
  expect(manifestText(new Uint8Array([1]), 'description')).toBeUndefined();
});
