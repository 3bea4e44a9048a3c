// The shim: what is checked in is what its source builds, and both sides have the same numbers.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as layout from '../../src/qemu/layout.ts';
import { requireTool } from '../require.ts';

const root = join(import.meta.dirname, '..', '..');
const source = readFileSync(join(root, 'src/qemu/shim/shim.S'), 'utf8');

requireTool('aarch64-linux-gnu-gcc', 'apt-get install gcc-aarch64-linux-gnu')('the shim', () => {
  it('is what its source builds', () => {
    const folder = mkdtempSync(join(tmpdir(), 'ffabric-shim-'));
    try {
      const file = join(folder, 'shim-image.ts');
      const built = spawnSync('sh', [join(root, 'scripts/build-shim.sh'), file], { encoding: 'utf8' });
      expect(built.stderr).toBe('');
      expect(readFileSync(file, 'utf8')).toBe(readFileSync(join(root, 'src/qemu/shim/shim-image.ts'), 'utf8'));
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

const PAIRS: readonly [string, number][] = [
  ['MAILBOX', layout.MAILBOX_ADDRESS],
  ['BOX_COMMAND_NUMBER', layout.BOX_COMMAND_NUMBER],
  ['BOX_DONE_NUMBER', layout.BOX_DONE_NUMBER],
  ['BOX_COMMAND', layout.BOX_COMMAND],
  ['BOX_FLAGS', layout.BOX_FLAGS],
  ['BOX_CONTEXT', layout.BOX_CONTEXT],
  ['BOX_SLICE', layout.BOX_SLICE],
  ['BOX_REASON', layout.BOX_REASON],
  ['BOX_ESR', layout.BOX_ESR],
  ['BOX_FAR', layout.BOX_FAR],
  ['BOX_HPFAR', layout.BOX_HPFAR],
  ['BOX_READY', layout.BOX_READY],
  ['BOX_FREQUENCY', layout.BOX_FREQUENCY],
  ['COMMAND_RUN', layout.COMMAND_RUN],
  ['COMMAND_REWRITE', layout.COMMAND_REWRITE],
  ['FLAG_TLB', layout.FLAG_TLB],
  ['REASON_SYNC', layout.REASON_SYNC],
  ['REASON_SLICE', layout.REASON_SLICE],
  ['REASON_SERROR', layout.REASON_SERROR],
  ['REASON_SHIM', layout.REASON_SHIM],
  ['REASON_TIMER', layout.REASON_TIMER],
  ['READY_MAGIC', layout.READY_MAGIC],
  ['BOX_X', layout.BOX_X],
  ['BOX_PC', layout.BOX_PC],
  ['BOX_SPSR', layout.BOX_SPSR],
  ['BOX_HCR', layout.BOX_HCR],
  ['BOX_LR0', layout.BOX_LR0],
  ['CTX_SYS', layout.CONTEXT_SYSTEM],
  ['CTX_VTTBR', layout.CONTEXT_VTTBR],
  ['CTX_VMPIDR', layout.CONTEXT_VMPIDR],
  ['CTX_VPIDR', layout.CONTEXT_VPIDR],
  ['CTX_CNTVOFF', layout.CONTEXT_CNTVOFF],
];

it.each(PAIRS)('and ffabric agree on %s', (name, value) => {
  const found = new RegExp(`^#define ${name}\\s+(\\S+)`, 'm').exec(source);
  expect(Number(found?.[1])).toBe(value);
});
