// The museum: what it holds, that each bug in it is found by the property that it names, and that nothing is found
// where nothing was put wrong.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bugsPage } from '../../bugs/bugs-page.ts';
import { BUGS } from '../../bugs/index.ts';
import { loadBugs, worldFileOf, worldOf } from '../../src/cli/museum/load-bugs.ts';
import { huntDown, PROPERTY_IDS } from '../../src/explore/hunt.ts';
import { explore } from '../../src/explore/search.ts';
import { Machine } from '../../src/hardware/machine.ts';
import { Oracle } from '../../src/oracle/oracle.ts';

const GENERAL = 'explore/general';
const root = join(import.meta.dirname, '..', '..');
const historical = BUGS.filter(({ upstream }) => upstream !== null);

describe('the museum', () => {
  it('holds 45 bugs that were fixed upstream, 15 of them races or of the life of a guest', () => {
    expect(historical.length).toBeGreaterThanOrEqual(45);
    expect(historical.filter(({ kind }) => kind === 'race' || kind === 'lifecycle').length).toBeGreaterThanOrEqual(15);
  });

  it('finds 25 of them in one general world', () => {
    expect(historical.filter(({ world }) => world === GENERAL).length).toBeGreaterThanOrEqual(25);
  });

  it('names each once, says where it was fixed, and which property it breaks', () => {
    expect(new Set(BUGS.map(({ id }) => id)).size).toBe(BUGS.length);
    for (const { broke, id, property, title, upstream } of BUGS) {
      expect(id, id).toMatch(/^(xen|hafnium|tfa|optee|own)(-[a-z0-9]+)+$/);
      expect(PROPERTY_IDS, id).toContain(property);
      expect(title, id).not.toMatch(/\.$/);
      expect(broke, id).toMatch(/\.$/);
      expect(id.startsWith('own-'), id).toBe(upstream === null);
      if (upstream !== null) {
        expect(upstream.fixedBy, id).toMatch(/^[0-9a-f]{8,10}$/);
        expect(upstream.date, id).toMatch(/^20\d\d-\d\d-\d\d$/);
      }
    }
  });

  it('is what the command loads', async () => {
    expect((await loadBugs()).map(({ id }) => id)).toEqual(BUGS.map(({ id }) => id));
  });

  it('puts each bug back in at most 30 lines', () => {
    for (const chapter of ['xen-teardown', 'xen-buffers', 'xen-memory', 'xen-messages', 'secure-world', 'own']) {
      const text = readFileSync(join(root, 'bugs', `${chapter}.ts`), 'utf8');
      const overrides = text.split(/\n {4}mutate: /).slice(1);
      expect(overrides.length).toBeGreaterThan(0);
      for (const override of overrides)
        expect(override.split(/\n {2}},?\n/)[0].split('\n').length).toBeLessThanOrEqual(30);
    }
  });

  it('has a bug for every property of the oracle', () => {
    expect([...new Set(BUGS.map(({ property }) => property))].sort()).toEqual([...PROPERTY_IDS].sort());
    const oracle = new Oracle(new Machine({ firstFrame: 0, frameCount: 16 }));
    expect(oracle.properties.map(({ info }) => info.id)).toEqual(PROPERTY_IDS);
  });

  it('is listed in docs/bugs.md as it is', () => {
    expect(readFileSync(join(root, 'docs', 'bugs.md'), 'utf8')).toBe(bugsPage(BUGS));
  });
});

describe('a hunt finds', () => {
  for (const bug of BUGS) {
    it(`${bug.id} by ${bug.property}`, async () => {
      const result = huntDown(await worldOf(bug), bug.mutate(), bug.property, { shrinks: false, executions: 2000 });
      expect(result.finding?.property).toBe(bug.property);
    });
  }
});

describe('nothing is found without a bug', () => {
  const worlds = [...new Map(BUGS.map((bug) => [bug.world, bug])).values()];
  for (const bug of worlds) {
    it(`in ${worldFileOf(bug)}`, async () => {
      const description = await worldOf(bug);
      const guests = description.guests.reduce((sum, { count }) => sum + count, 0);
      const executions = guests > 8 ? 8 : bug.world === GENERAL ? 40 : 200;
      const result = explore(description, {}, { strategy: 'portfolio', executions });
      expect(result.finding).toBe(null);
    });
  }
});

/** A bug for each property that only this property notices. */
const ONLY: Readonly<Record<string, string>> = {
  P1: 'own-buffers-returned-while-mapped',
  P1b: 'own-pin-dropped-for-a-moment',
  P2: 'hafnium-execution-of-normal-memory',
  P3: 'xen-two-maps-at-once',
  P4: 'own-reclaimed-twice',
  P5: 'optee-reclaim-while-it-is-retrieved',
  P6: 'own-creation-half-undone',
  P7: 'xen-reclaim-asked-for-ever',
  P8: 'own-refused-call-keeps-a-page',
  P9: 'xen-unmap-while-rx-is-owned',
  P10: 'own-page-pinned-and-not-named',
  P11: 'hafnium-next-fragment-of-nobody',
  P12: 'xen-list-asked-under-a-host-wide-lock',
  P13: 'own-reserved-register-not-zero',
  P14: 'xen-range-rounded-down',
  P15: 'xen-shares-abandoned',
  P16: 'xen-bitmap-halves-swapped',
  P17: 'xen-version-changes',
  P18: 'own-pages-not-scrubbed',
  P19: 'own-limit-not-kept',
};

describe('a property is needed: only it notices, and without it all holds', () => {
  for (const id of PROPERTY_IDS) {
    it(`${id} and ${ONLY[id]}`, async () => {
      const bug = BUGS.find((one) => one.id === ONLY[id])!;
      expect(bug.property).toBe(id);
      const description = await worldOf(bug);
      const options = { strategy: 'portfolio', executions: 60, shrinks: false } as const;
      expect(explore(description, bug.mutate(), options).finding?.property).toBe(id);
      const off = explore({ ...description, propertiesOff: [id] }, bug.mutate(), options);
      expect(off.finding).toBe(null);
    });
  }
});
