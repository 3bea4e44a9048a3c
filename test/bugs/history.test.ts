// What was fixed in Hafnium, TF-A and OP-TEE and could exist here: each bug is in the museum, or named by the test that
// would fail with it, or cannot exist here, with the reason.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUGS } from '../../bugs/index.ts';
import { FFA_MEM_RECLAIM, FFA_MEM_SHARE_32, FFA_SUCCESS_32 } from '../../src/abi/function-ids.ts';
import { EVENT_GUEST_CALL, EVENT_GUEST_RETURN, EVENT_SHARE_LIVE } from '../../src/base/event-kinds.ts';
import { worldOf } from '../../src/cli/museum/load-bugs.ts';
import { loadWorld } from '../../src/scenario/load-world.ts';
import { World } from '../../src/world/world.ts';

/** Bugs by the commits that fixed them; several commits of one line fixed one bug together. */
const HAFNIUM = [
  '67686054',
  '9b23ccde ed7ed3d0',
  'd89f5d43 cded984f',
  '4fa4fa73',
  'a283c021',
  'b446fd89 95ccb5d1',
  'a334fe7e',
  '66673139',
  '1fff55d2',
  'a9d6a31f 6828e3ee',
  '13e224e3',
  'c57709a6 e89c793a',
  'aa32decc',
  '9decd785',
  'fc50ef7d',
  'c0c8f8cd',
  'be1a0b7a',
  'f779fb7e',
  'c7270b75 44e9b3b7',
  'bd060340 c9227c84 f220d57a',
  '4b846eb8 639ddfc0 e5262378',
  'b9705e2b',
  'f06b5236 a76fd916 578784f0',
  '0a704e55',
  '89c22131',
  '6b754a18',
  '7333dcfa',
  '7ccaccf2',
  '2e14ebe8',
  'e468c116',
  '8457f93f',
  '26483384',
  '788b4492',
  '5952d940 8f11cde4',
  '003aa9ac',
  'd467741c 73a1e943',
  '9bd324a4',
  '7007993a',
  '2e425266',
  'a second secure interrupt',
  'a response beside an interrupt',
  'CVE-2025-10263',
];
const TFA = [
  '04b47dd94',
  'fc4244567',
  'a0bb4403d',
  '8fb85514c',
  '3cc96af8d',
  '2e975efc4',
  'eb863c75b',
  '61ba697a4',
  '263561ba1',
  '850eba90f',
  '6a4449471',
  'c55b519ed 153eb4c8e cb2e5746e',
  '8723eaf2f',
  '83129bcd8',
  '27c024250 2d4da8e26 56c052d31 52d8d506e 0c2583c6f d781959f8',
  'def7590b3 eed15e431',
  '0dc351866',
  'c4adbe6e6',
  'ac568b2bc',
  'b4c3621e0',
];
const OPTEE = [
  '5a5377616',
  'd7210681d',
  '67fecef3c',
  'cae910171',
  '5cf2317a1',
  '1ff0a11d2',
  'd45fc1401',
  '82d5d8cc2',
  '9502204ba',
  '9b1d1cf0d',
  'a7400fcde',
  'b59e43fec',
  'a3915ecec',
  'c354668a3',
  '5f979c17b',
  '287e68f4b',
  '44a414396',
  '83a3d56a2 3d02add2d',
  '93a9647fe',
  '7f127d42b',
  '67fec989b',
  'c689b8ee5',
  'VM_CREATED twice',
  'a relinquish that fails',
];

/** What cannot exist here, and why. */
const CANNOT: ReadonlyMap<string, string> = new Map([
  ['CVE-2025-10263', 'an erratum of a CPU: the modelled hardware has no TLB'],
  [
    'aa32decc',
    'contexts of a partition send each other no interrupts here, and no context is locked: it changes in one step',
  ],
  [
    '83a3d56a2 3d02add2d',
    'what a partition has mapped is no count here but a state of its transaction, changed in one step',
  ],
]);

/** What is tested under another name than a commit: a text in the tests, or a bug of the museum. */
const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  ['a second secure interrupt', 'secure interrupt'],
  ['a response beside an interrupt', '19 of Hafnium'],
  ['VM_CREATED twice', '7182 of optee_os'],
  ['a relinquish that fails', 'own-denied-counts-as-final'],
]);

const folder = join(import.meta.dirname, '..');
const self = join('bugs', 'history.test.ts');
const sources = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && name !== self)
  .map((name) => readFileSync(join(folder, name), 'utf8'))
  .join('\n');
const ownTitles = [...readFileSync(join(folder, self), 'utf8').matchAll(/^ {2}it\('([^']*)'/gm)].map(
  ([, title]) => title,
);
const museum = BUGS.map(({ id, upstream }) => `${id} ${upstream?.fixedBy ?? ''}`).join('\n');
const named = `${sources}\n${ownTitles.join('\n')}\n${museum}`;

describe('what was fixed elsewhere', () => {
  for (const [project, bugs] of Object.entries({ Hafnium: HAFNIUM, 'TF-A': TFA, 'OP-TEE': OPTEE })) {
    it.each(bugs)(`${project}: %s is in the museum, named by a test, or cannot exist here`, (bug) => {
      const reason = CANNOT.get(bug);
      if (reason !== undefined) {
        expect(reason.length).toBeGreaterThan(20);
        return;
      }
      const names = ELSEWHERE.has(bug) ? [ELSEWHERE.get(bug)!] : bug.split(' ');
      expect(names.filter((name) => named.includes(name))).not.toEqual([]);
    });
  }

  it('is asked once each', () => {
    const all = [...HAFNIUM, ...TFA, ...OPTEE];
    expect(new Set(all).size).toBe(all.length);
    for (const bug of [...CANNOT.keys(), ...ELSEWHERE.keys()]) expect(all).toContain(bug);
  });
});

/** Runs a world under random schedules. */
function* runs(text: string, count: number): Generator<World> {
  const description = { ...loadWorld(text, 'a test'), interleave: true };
  for (let seed = 1; seed <= count; seed++) {
    let state = Math.imul(seed, 0x9e37_79b1) >>> 0 || 1;
    const pick = (bound: number): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % bound;
    };
    const world = new World(description);
    world.machine.choices.restart({ pick });
    const report = world.run();
    expect(report.violations).toEqual([]);
    yield world;
  }
}

describe('under every schedule that is tried', () => {
  it('a7400fcde: two PEs that share at once get two handles', () => {
    const text = `
partitions: [{name: crypto, id: 0x8001, program: holder, pages: 16}]
guests:
  - {name: g1, pages: 64, script: [version, map, until: {time: 5ms}, share: {name: a, to: crypto}]}
  - {name: g2, pages: 64, script: [version, map, until: {time: 5ms}, share: {name: b, to: crypto}]}
`;
    for (const { machine } of runs(text, 40)) {
      const { events } = machine;
      const handles: number[] = [];
      for (let at = 0; at < events.count; at++) {
        if (events.kind(at) === EVENT_SHARE_LIVE) handles.push(events.argument(at, 1));
      }
      expect(handles).toHaveLength(2);
      expect(handles[0]).not.toBe(handles[1]);
    }
  });

  it('287e68f4b: of two vCPUs that reclaim one share, one gets it', () => {
    const text = `
partitions: [{name: crypto, id: 0x8001, program: holder, pages: 16}]
guests:
  - name: g1
    pages: 64
    vcpus:
      - [version, map, share: {name: a, to: crypto}, until: {time: 5ms}, reclaim: {name: a, expect: any}]
      - [until: {time: 5ms}, call: {registers: [${FFA_MEM_RECLAIM}, $a.low, $a.high]}]
`;
    for (const { machine } of runs(text, 40)) {
      const { events } = machine;
      const open = new Map<number, number>();
      let successes = 0;
      for (let at = 0; at < events.count; at++) {
        if (events.kind(at) === EVENT_GUEST_CALL) open.set(events.pe(at), events.argument(at, 1));
        if (events.kind(at) !== EVENT_GUEST_RETURN || open.get(events.pe(at)) !== FFA_MEM_RECLAIM) continue;
        if (events.argument(at, 1) === FFA_SUCCESS_32) successes++;
      }
      expect(successes).toBe(1);
    }
  });
});

describe('a descriptor', () => {
  it('27c024250: with any one word of it wrong is refused, or does what it says', () => {
    const good = [
      0x002f_0002, 0, 0, 0, 0, 0, 16, 1, 48, 0, 0, 0, 0x0002_8001, 64, 0, 0, 1, 1, 0, 0, 0x4002_0000, 0, 1, 0,
    ];
    const hex = (words: readonly number[]): string =>
      [...new Uint8Array(new Uint32Array(words).buffer)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
    const steps: string[] = [];
    for (let word = 0; word < good.length; word++) {
      for (const value of [0, 1, 15, 0x3f, 0xfff, 0x1000, 0x7fff_ffff, 0x8000_0000, 0xffff_fff0, 0xffff_ffff]) {
        steps.push(`tx: {hex: '${hex(good.with(word, value))}'}`);
        steps.push(`call: {registers: [${FFA_MEM_SHARE_32}, 96, 96], save: s}`);
        steps.push(`call: {registers: [${FFA_MEM_RECLAIM}, $s.w2, $s.w3]}`);
      }
    }
    const list = steps.map((step) => `      - ${step}`).join('\n');
    const text = `
partitions: [{name: crypto, id: 0x8001, program: holder, pages: 16}]
guests:
  - name: g1
    pages: 64
    script:
      - version
      - map
${list}
`;
    const world = new World(loadWorld(text, 'a test'));
    expect(world.run().violations).toEqual([]);
    const { events } = world.machine;
    const outcomes = { shared: 0, refused: 0 };
    let asked = 0;
    for (let at = 0; at < events.count; at++) {
      if (events.kind(at) === EVENT_GUEST_CALL) asked = events.argument(at, 1);
      if (events.kind(at) !== EVENT_GUEST_RETURN || asked !== FFA_MEM_SHARE_32) continue;
      if (events.argument(at, 1) === FFA_SUCCESS_32) outcomes.shared++;
      else outcomes.refused++;
    }
    expect(outcomes.shared + outcomes.refused).toBe(good.length * 10);
    expect(outcomes.shared).toBeGreaterThan(20);
    expect(outcomes.refused).toBeGreaterThan(100);
  });
});

describe('a partition', () => {
  it('93a9647fe: takes VM_DESTROYED and gives back what it had of that VM', async () => {
    const bug = BUGS.find(({ world }) => world === 'one-guest-dies')!;
    const world = new World(await worldOf(bug));
    expect(world.run().verdict).toBe('held');
    expect(world.oracle?.pagesHeldBy(0x8001)).toBe(0);
  });
});
