// Every world in worlds/ runs and holds, and is the same run on every machine; and each turns red, by the property
// that it is about, when the code that it is about is taken out (mutants/).
//
// A golden hash changes when a world, or what it runs through, changes on purpose: `npx vitest run test/worlds -u` then
// writes the new one, and its change is part of the commit.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadWorld } from '../../src/scenario/load-world.ts';
import { World } from '../../src/world/world.ts';
import { MUTANTS } from './mutants/index.ts';

const folder = join(import.meta.dirname, '..', '..', 'worlds');
const names = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.replace('.yaml', ''));

function descriptionOf(name: string) {
  return loadWorld(readFileSync(join(folder, `${name}.yaml`), 'utf8'), `worlds/${name}.yaml`);
}

describe('worlds', () => {
  it('are sixteen at least, each with a mutant', () => {
    expect(names.length).toBeGreaterThanOrEqual(16);
    expect([...new Set(MUTANTS.map((mutant) => mutant.world))].sort()).toEqual(names);
  });

  for (const name of names) {
    it(`${name} tells its story, and holds`, () => {
      const text = readFileSync(join(folder, `${name}.yaml`), 'utf8');
      expect(text.startsWith('# ')).toBe(true);
      const description = descriptionOf(name);
      expect(description.story).not.toBe('');
      expect(description.propertiesOff).toEqual([]);
      const world = new World(description);
      const report = world.run();
      expect(report.violations).toEqual([]);
      expect(report.verdict).toBe('held');
      expect(report.expectations.length).toBeGreaterThanOrEqual(3);
      expect(world.machine.events.digest().toString(16)).toMatchSnapshot('golden hash');
    });
  }
});

describe('a world turns red', () => {
  for (const { fires, parts, takesOut, world } of MUTANTS) {
    it(`${world} by ${fires} without: ${takesOut}`, () => {
      const report = new World(descriptionOf(world), parts).run();
      expect(report.verdict).toBe('violated');
      expect(report.violations.map(({ property }) => property)).toContain(fires);
    });
  }
});

describe('a run', () => {
  it('is the same twice', () => {
    const digest = () => {
      const world = new World(descriptionOf('guest-dies-under-dma'));
      world.run();
      return world.machine.events.digest();
    };
    expect(digest()).toBe(digest());
  });
});
