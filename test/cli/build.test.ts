// What scripts/build.js adds to the compiler: numbers in the place of imported constants, their names beside them.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { FFA_MEM_RECLAIM } from '../../src/abi/function-ids.ts';

it('has imported constants in place in what is built', () => {
  const path = fileURLToPath(new URL('../../dist/hypervisor/memory-reclaim.js', import.meta.url));
  const code = readFileSync(path, 'utf8');
  expect(code).toContain(`has(${FFA_MEM_RECLAIM} /* FFA_MEM_RECLAIM */)`);
  // Negative numbers are set apart, so that `a -b` never arises.
  expect(code).toContain('(-8) /* FFA_ABORTED */');
});
