// World files: what they become, and every message whole.

import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/base/user-error.ts';
import { loadWorld, loadWorldFile } from '../../src/scenario/load-world.ts';

const PARTITION = 'partitions:\n  - {name: crypto, id: 0x8001, program: holder}\n';
const GUEST = 'guests:\n  - name: g1\n';

function messageOf(text: string): string {
  try {
    loadWorld(text, 'w.yaml');
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return 'no message';
}

describe('loadWorld', () => {
  it('fills in what a file leaves out', () => {
    const world = loadWorld(`${PARTITION}${GUEST}`, 'worlds/small.yaml');
    expect(world).toMatchObject({ name: 'small', profile: 'ffabric', memoryPages: 65_536, untilNs: 60e9 });
    expect(world.partitions[0]).toMatchObject({ id: 0x8001, ffaVersion: 0x10001, pages: 64, created: true });
    expect(world.guests[0]).toMatchObject({ name: 'g1', pages: 256, createAtNs: 0, vcpus: [[]] });
  });

  it('reads units', () => {
    const guest = '  - {name: g1, pages: 1MiB, create: 250ms}\n';
    const file = `${PARTITION}guests:\n${guest}until: 2min\nmemory: {pages: 64MiB}\n`;
    const world = loadWorld(`${file}timeline:\n  - {at: 1.5s, destroy: g1}\n  - {at: 10us, say: hello}\n`, 'w.yaml');
    expect(world.guests[0]).toMatchObject({ pages: 256, createAtNs: 250e6 });
    expect(world).toMatchObject({ untilNs: 120e9, memoryPages: 16_384 });
    expect(world.timeline).toEqual([
      { atNs: 1.5e9, do: 'destroy', guest: 'g1' },
      { atNs: 10_000, do: 'say', say: 'hello' },
    ]);
  });

  it('reads steps in each of their forms', () => {
    const script =
      "    script:\n      - map\n      - wait: 5ms\n      - version: '1.0'\n" +
      '      - until: {variable: go, is: 1, every: 1us}\n      - until: {time: 1s}\n' +
      "      - repeat: {times: 2, steps: [{share: {name: 'b#', to: crypto, fragmentPause: 1ms}}]}\n";
    expect(loadWorld(`${PARTITION}${GUEST}${script}`, 'w.yaml').guests[0].vcpus[0]).toEqual([
      { step: 'map' },
      { step: 'wait', durationNs: 5e6 },
      { step: 'version', version: 0x10000 },
      { step: 'until', condition: { variable: 'go', is: 1 }, everyNs: 1000 },
      { step: 'until', condition: { timeNs: 1e9 } },
      { step: 'repeat', times: 2, steps: [{ step: 'share', name: 'b#', to: 'crypto', fragmentPauseNs: 1e6 }] },
    ]);
  });

  it('tells of modules, and where they are named', () => {
    const { modules } = loadWorldFile(`partitions:\n  - {name: p, id: 0x8001, program: ./p.js}\n${GUEST}`, 'w.yaml');
    expect(modules).toEqual([{ name: './p.js', place: { file: 'w.yaml', line: 2, column: 36 } }]);
  });
});

const MESSAGES: readonly (readonly [what: string, text: string, message: string])[] = [
  ['nothing', '# only a comment\n', 'w.yaml:1:1: there is nothing in this file; a world has guests and partitions'],
  [
    'no YAML',
    'guests: [\n',
    'w.yaml:2:1: this is not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
  [
    'an unknown field',
    `${PARTITION}guest:\n  - name: g1\n`,
    "w.yaml:3:1: unknown field 'guest'; did you mean 'guests'?",
  ],
  [
    'an unknown field inside',
    'guests:\n  - name: g1\n    pagse: 4\n',
    "w.yaml:3:5: guests[0]: unknown field 'pagse'; did you mean 'pages'?",
  ],
  [
    'a wrong type',
    'guests:\n  - name: g1\n    bits: sixty-four\n',
    "w.yaml:3:11: guests[0].bits: found 'sixty-four'; expected 32 or 64",
  ],
  ['no list', 'guests: g1\n', "w.yaml:1:9: guests: found 'g1'; expected a list"],
  [
    'a missing field',
    'partitions:\n  - {id: 0x8001, program: echo}\n',
    "w.yaml:2:5: partitions[0]: lacks 'name'; expected a name: letters, digits, _ and -, a letter first",
  ],
  [
    'a bad unit',
    `${GUEST}timeline:\n  - {at: 5 minutes, destroy: g1}\n`,
    "w.yaml:4:10: timeline[0].at: found '5 minutes'; expected a time with its unit, such as 1s, 250ms, 10us or 5ns",
  ],
  [
    'a time without a unit',
    `${GUEST}until: 5\n`,
    'w.yaml:3:8: until: found 5; expected a time with its unit, such as 1s, 250ms, 10us or 5ns',
  ],
  [
    'a missing program',
    `partitions:\n  - {name: p, id: 0x8001, program: hodler}\n${GUEST}`,
    "w.yaml:2:36: partitions[0].program: no program 'hodler'; did you mean 'holder'? (or the path of a module, " +
      'such as ./program.js)',
  ],
  [
    'a missing parameter',
    `partitions:\n  - {name: p, id: 0x8001, program: dma}\n${GUEST}`,
    "w.yaml:2:5: partitions[0].parameters: program 'dma' needs the parameter 'duration'; how long a transfer takes",
  ],
  [
    'an unknown parameter',
    `partitions:\n  - {name: p, id: 0x8001, program: echo, parameters: {hold: 1s}}\n${GUEST}`,
    "w.yaml:2:55: partitions[0].parameters: program 'echo' has no parameter 'hold'; there are created, destroyed, " +
      'messageWork',
  ],
  [
    'an id clash',
    `partitions:\n  - {name: a, id: 0x8001, program: echo}\n  - {name: b, id: 0x8001, program: echo}\n${GUEST}`,
    "w.yaml:3:19: partitions[1].id: 0x8001 is the id of 'a' already; each partition has its own",
  ],
  [
    'an id that is none',
    `partitions:\n  - {name: a, id: 1, program: echo}\n${GUEST}`,
    'w.yaml:2:19: partitions[0].id: found 1; expected an id from 0x8001 to 0xfffe',
  ],
  [
    'a name twice',
    'guests:\n  - name: g1\n  - name: g1\n',
    "w.yaml:3:11: guests[1].name: there is another 'g1'; each guest and partition has its own name",
  ],
  [
    'overlapping memory',
    `partitions:\n  - {name: a, id: 0x8001, program: echo, base: 0x4fff0000}\n${GUEST}`,
    'w.yaml:2:48: partitions[0].base: 0x4fff0000 to 0x5002ffff overlaps the memory of the normal world (0x40000000 ' +
      "to 0x4fffffff); leave 'base' out, or begin at 0x50000000",
  ],
  [
    'too much memory',
    'memory: {pages: 64}\nguests:\n  - {name: g1, pages: 65}\n',
    'w.yaml:3:23: guests[0].pages: 65 pages; the whole memory has 64: see memory.pages',
  ],
  [
    'a guest for nothing in the timeline',
    `${GUEST}timeline:\n  - {at: 1s, power: 'off', guest: g1}\n`,
    "w.yaml:4:35: timeline[0].guest: 'guest' alone; it belongs to secureInterrupt",
  ],
  [
    'an unknown guest in the timeline',
    `${GUEST}timeline:\n  - {at: 1s, destroy: g2}\n`,
    "w.yaml:4:23: timeline[0].destroy: no guest 'g2'; there are g1",
  ],
  [
    'an entry that does nothing',
    `${GUEST}timeline:\n  - {at: 1s}\n`,
    'w.yaml:4:5: timeline[0]: nothing to do; create, destroy, interrupt, secureInterrupt, power, crash, stop, ' +
      'restart, quarantine or say',
  ],
  [
    'an expectation about nobody',
    `${GUEST}expect:\n  - {guest: nobody, is: gone}\n`,
    "w.yaml:4:13: expect[0].guest: no guest 'nobody'; there are g1",
  ],
  [
    'an expectation without an end',
    `${GUEST}expect:\n  - {guest: g1}\n`,
    "w.yaml:4:5: expect[0]: 'guest' without 'is'; is: alive, gone, zombie, held or refused",
  ],
  [
    'an unknown partition in a fault',
    `${PARTITION}${GUEST}faults:\n  - {call: VM_CREATED, partition: cripto, answer: DENIED}\n`,
    "w.yaml:6:35: faults[0].partition: no partition 'cripto'; did you mean 'crypto'?",
  ],
  [
    'an answer that is none',
    `${GUEST}faults:\n  - {call: MEM_RECLAIM, answer: NO}\n`,
    "w.yaml:4:33: faults[0].answer: found 'NO'; expected an FF-A error such as DENIED, 'status RETRY' (in a " +
      'framework response), SUCCESS, INTERRUPT, UNKNOWN or GARBAGE',
  ],
  [
    'a profile that is none',
    `profile: xen\n${GUEST}`,
    "w.yaml:1:10: profile: no profile 'xen'; there are ffabric, xen-2024, xen-2026, xen-2026-vm-to-vm",
  ],
  [
    'a step that is none',
    `${GUEST}    script:\n      - shar: {name: a, to: g1}\n`,
    "w.yaml:4:9: guests[0].script[0]: no step 'shar'; did you mean 'share'?",
  ],
  [
    "a step's unknown field",
    `${GUEST}    script:\n      - share: {name: a, too: g1}\n`,
    "w.yaml:4:26: guests[0].script[0].share: 'share' has no field 'too'; did you mean 'to'?",
  ],
  [
    'an unknown endpoint in a step',
    `${PARTITION}${GUEST}    script:\n      - message: {to: cyrpto, do: echo}\n`,
    "w.yaml:6:23: guests[0].script[0].message.to: no endpoint 'cyrpto'; did you mean 'crypto'?",
  ],
  [
    "a step's wrong value",
    `${GUEST}    script:\n      - wait: 5\n`,
    'w.yaml:4:15: guests[0].script[0].wait: found 5; expected a time with its unit, such as 1s, 250ms, 10us or 5ns',
  ],
  ['no guest', PARTITION, 'w.yaml:1:1: there is no guest; a world has one guest at least'],
];

describe('a mistake is one message', () => {
  for (const [what, text, message] of MESSAGES) {
    it(what, () => {
      expect(messageOf(text)).toBe(message);
    });
  }
});
