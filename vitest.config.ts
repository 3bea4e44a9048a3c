// The rings of the tests. `npm test` runs them all; what needs more than Node, or more than a minute, asks
// test/require.ts whether it may run. Each ring is a vitest project: `npx vitest run --project cli` runs one.

import { join } from 'node:path';
import { defineConfig } from 'vitest/config';

/** A ring, the files that belong to it, and what is particular to it. */
interface Ring {
  readonly name: string;
  readonly include: readonly string[];
  readonly timeoutSeconds: number;
  /** True if its tests run the built command: dist/ is brought up to date once before them. */
  readonly built?: boolean;
}

const RINGS: readonly Ring[] = [
  { name: 'tidy', include: ['test/tidy/**/*.test.ts'], timeoutSeconds: 60 },
  { name: 'conform', include: ['test/conform/**/*.test.ts'], timeoutSeconds: 120 },
  { name: 'worlds', include: ['test/worlds/**/*.test.ts'], timeoutSeconds: 60 },
  { name: 'bugs', include: ['test/bugs/**/*.test.ts'], timeoutSeconds: 240 },
  { name: 'cli', include: ['test/cli/**/*.test.ts'], timeoutSeconds: 60, built: true },
  { name: 'fuzz', include: ['test/fuzz/**/*.test.ts'], timeoutSeconds: 600 },
  { name: 'package', include: ['test/package.test.ts'], timeoutSeconds: 300 },
  { name: 'qemu', include: ['test/qemu/**/*.test.ts'], timeoutSeconds: 120 },
  // As users write them, on the sources; the ring `package` runs the same files on the installed package.
  { name: 'examples', include: ['examples/**/*.test.ts', 'test/docs/partitions.test.ts'], timeoutSeconds: 20 },
];

// Whatever no other ring claims.
const UNIT: Ring = { name: 'unit', include: ['test/**/*.test.ts'], timeoutSeconds: 20 };

const claimed = RINGS.flatMap((ring) => ring.include);

export default defineConfig({
  test: {
    allowOnly: false,
    pool: 'threads',
    reporters: ['default', './test/reporter.ts'],
    alias: [{ find: /^ffabric\/(\w+)$/, replacement: join(import.meta.dirname, 'src/$1/index.ts') }],
    projects: [UNIT, ...RINGS].map((ring) => ({
      extends: true as const,
      test: {
        name: ring.name,
        include: [...ring.include],
        exclude: ring === UNIT ? claimed : [],
        testTimeout: ring.timeoutSeconds * 1000,
        hookTimeout: ring.timeoutSeconds * 1000,
        globalSetup: ring.built === true ? ['./test/fresh-build.ts'] : [],
      },
    })),
  },
});
