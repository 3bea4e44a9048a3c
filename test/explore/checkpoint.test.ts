// Checkpoints: whatever changed is put back, once it was seen to change; a change that nobody knew of is noticed.

import { describe, expect, it } from 'vitest';
import { Checkpoint } from '../../src/explore/checkpoint.ts';

class Cell {
  value = 1;
  next: Cell | null = null;
}

function makeState() {
  const first = new Cell();
  first.next = new Cell();
  first.next.next = first;
  const bytes = new Uint8Array(1500);
  return {
    first,
    list: [1, 2, 3] as number[],
    map: new Map<string, Cell | number>([
      ['a', first],
      ['b', 2],
    ]),
    set: new Set<number>([1, 2]),
    bytes,
    view: new DataView(bytes.buffer, 1024),
    get computed() {
      return this.list.length;
    },
  };
}

type State = ReturnType<typeof makeState>;

const CHANGES: readonly (readonly [string, (state: State) => void])[] = [
  [
    'a field',
    (state) => {
      state.first.value = 7;
    },
  ],
  [
    'a field further on',
    (state) => {
      state.first.next = null;
    },
  ],
  [
    'an element',
    (state) => {
      state.list[1] = 9;
    },
  ],
  ['the length of a list', (state) => void state.list.push(4)],
  [
    'a list that is cut',
    (state) => {
      state.list.length = 0;
    },
  ],
  ['a value in a map', (state) => void state.map.set('b', 3)],
  [
    'the order of a map',
    (state) => {
      state.map.delete('a');
      state.map.set('a', state.first);
    },
  ],
  ['a set', (state) => void state.set.delete(1)],
  [
    'a byte',
    (state) => {
      state.bytes[700] = 5;
    },
  ],
  [
    'the last byte',
    (state) => {
      state.bytes[1499] = 5;
    },
  ],
  ['a byte through a view', (state) => void state.view.setUint32(0, 0x12345678)],
];

function shown({ bytes, first, list, map, set }: State): unknown {
  return {
    bytes: [...bytes],
    first: first.value,
    next: first.next?.value,
    list,
    map: [...map].map(([key, value]) => [key, typeof value === 'number' ? value : 'cell']),
    set: [...set],
  };
}

describe('a checkpoint', () => {
  for (const [what, change] of CHANGES) {
    it(`puts back ${what}`, () => {
      const state = makeState();
      const before = structuredClone(shown(state));
      const checkpoint = new Checkpoint(state, new Set());
      expect(checkpoint.verify()).toBe(true);
      change(state);
      expect(shown(state)).not.toEqual(before);
      // The first time it is news; from then on it is put back without a look at everything.
      checkpoint.restore();
      expect(checkpoint.verify()).toBe(false);
      expect(shown(state)).toEqual(before);
      change(state);
      checkpoint.restore();
      expect(shown(state)).toEqual(before);
      expect(checkpoint.verify()).toBe(true);
    });
  }

  it('puts a field back in all objects of a class, once it has changed in one', () => {
    const state = makeState();
    const checkpoint = new Checkpoint(state, new Set());
    state.first.value = 2;
    expect(checkpoint.verify()).toBe(false);
    (state.first.next as Cell).value = 3;
    checkpoint.restore();
    expect((state.first.next as Cell).value).toBe(1);
    expect(checkpoint.verify()).toBe(true);
  });

  it('leaves alone what it was told to', () => {
    const state = makeState();
    const checkpoint = new Checkpoint(state, new Set<unknown>([state.first]));
    state.first.value = 2;
    expect(checkpoint.verify()).toBe(true);
    expect(state.first.value).toBe(2);
  });
});
