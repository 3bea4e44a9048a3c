// Machines of machine code, for real: QEMU runs our guests, and what they can and cannot do is what the model says.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { present } from '../../src/base/assert.ts';
import { PAGE_SIZE_BYTES } from '../../src/base/units.ts';
import { loadWorldFrom } from '../../src/cli/world/load-world.ts';
import { imageOf } from '../../src/qemu/image-file.ts';
import { IMAGE_HOST_DEFAULTS, ImageHost } from '../../src/qemu/image-host.ts';
import { ImageProgram } from '../../src/qemu/image-program.ts';
import { QemuProcess } from '../../src/qemu/qemu-process.ts';
import { ramSizeOf } from '../../src/qemu/ram-size.ts';
import type { WorldReport } from '../../src/world/report.ts';
import { World } from '../../src/world/world.ts';
import { findTool, requireTool } from '../require.ts';

const root = join(import.meta.dirname, '..', '..');
const STUCK_MS = 500;
const CANARY = 0xc0ffee5ec4e7deadn;

interface Ran {
  readonly world: World;
  readonly report: WorldReport;
  readonly console: readonly string[];
  readonly host: ImageHost;
}

/** Runs a machine; `watch` is asked after each step of the world. */
async function run(file: string, watch: (world: World, host: ImageHost) => void = () => undefined): Promise<Ran> {
  let host: ImageHost | null = null;
  const { description, programs } = await loadWorldFrom(file, root, (path, shown) => (environment) => {
    const { address, pageCount } = environment.memory;
    return new ImageProgram(
      present(host, 'a host'),
      environment,
      imageOf(readFileSync(path), shown, address, pageCount),
    );
  });
  const qemu = new QemuProcess(ramSizeOf(description));
  try {
    const console: string[] = [];
    host = new ImageHost(qemu, {
      ...IMAGE_HOST_DEFAULTS,
      stuckMs: file.includes('spins') ? STUCK_MS : IMAGE_HOST_DEFAULTS.stuckMs,
      console: (endpoint, line) => console.push(`${endpoint}: ${line}`),
    });
    const world = new World(description, { programs, contents: host.contents });
    host.attach((endpoint) => world.spaceOf(endpoint));
    world.begin();
    while (!world.over()) {
      world.advance();
      watch(world, host);
    }
    return { world, report: world.finish(), console, host };
  } finally {
    qemu.stop();
  }
}

/** A machine whose only guest is hostile. */
function machine(guest: string, expected: string): string {
  return JSON.stringify({
    memory: { base: 0x4100_0000, pages: 4096 },
    partitions: [{ name: 'crypto', id: 0x8001, program: 'holder' }],
    guests: [{ name: 'hostile', pages: 64, ramBase: 0x5000_0000, program: join(root, `dist/guests/${guest}.elf`) }],
    timeline: guest === 'floods' ? [{ at: '300ms', destroy: 'hostile' }] : [],
    expect: [{ guest: 'hostile', is: expected }],
  });
}

/** Runs it. */
async function runGuest(guest: string): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'ffabric-machine-'));
  try {
    const file = join(folder, `${guest}.yaml`);
    writeFileSync(file, machine(guest, 'gone'));
    return await run(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const suite =
  findTool('qemu-system-aarch64') === null
    ? requireTool('qemu-system-aarch64', 'apt-get install qemu-system-arm')
    : requireTool('aarch64-linux-gnu-gcc', 'apt-get install gcc-aarch64-linux-gnu');

suite('machine code', () => {
  describe('of our guests', () => {
    beforeAll(() => {
      const built = spawnSync('sh', [join(root, 'scripts/build-guests.sh')], { encoding: 'utf8' });
      expect(built.stderr).toBe('');
    });

    describe('each machine of machines/', () => {
      for (const name of readdirSync(join(root, 'machines'))) {
        it(`${name} runs, and holds`, async () => {
          const { report, host } = await run(join('machines', name));
          expect(host.findings).toEqual([]);
          expect(report.violations).toEqual([]);
          expect(report.verdict).toBe('held');
        });
      }
    });

    it('speaks: a partition of machine code answers a guest of machine code', async () => {
      const { console } = await run('machines/echo.yaml');
      expect(console).toContain('asker: 100 of 100 answers are right');
    });

    it('dies: its pages keep what it wrote until the partition has let go, and then are zero', async () => {
      let heldPages = 0;
      const page = Buffer.alloc(PAGE_SIZE_BYTES);
      const { world, console } = await run('machines/killed-while-it-works.yaml', ({ quiet, hypervisor }, { qemu }) => {
        const record = hypervisor.domains.findVm(2) === null && !quiet;
        if (!record || heldPages > 0) return;
        // What the machine's RAM holds now, whoever's it is.
        for (let frame = 0x41000; frame < 0x42000; frame++) {
          qemu.ram.read(frame * PAGE_SIZE_BYTES, page, 0, PAGE_SIZE_BYTES);
          if (page.readBigUInt64LE(0) === CANARY && page.readBigUInt64LE(PAGE_SIZE_BYTES - 8) === CANARY) heldPages++;
        }
      });
      expect(heldPages).toBe(4);
      expect(console.at(-1)).toMatch(/^heir: 0x[0-9a-f]+ words looked at, 0x0 are another's: clean$/);
      expect(world.hypervisor.domains.count).toBe(1);
    });

    it.each([
      ['reads-the-mailbox', 'read from 0x40280000, which it may not'],
      ['writes-elsewhere', 'wrote to 0x50040000, which it may not'],
      ['jumps-nowhere', 'jumped to 0x66660000, where nothing is mapped that it may execute'],
    ])('cannot do what its stage 2 does not give: %s', async (guest, what) => {
      const { host, report, console } = await runGuest(guest);
      expect(host.findings.map((finding) => finding.what)).toEqual([what]);
      expect(host.findings[0]?.registers[0]).toMatch(/^pc 0x0000000050000|^pc 0x0000000066660000/);
      expect(report.verdict).toBe('held');
      expect(console).toHaveLength(1);
    });

    it('that never calls is stuck, and is ended', async () => {
      const { host, report } = await runGuest('spins');
      expect(host.findings[0]?.what).toMatch(/^has made no call for \d+ s$/);
      expect(report.verdict).toBe('held');
    });

    it('that floods the mediator with calls is destroyed in time like any other', async () => {
      const { host, report } = await runGuest('floods');
      expect(host.findings).toEqual([]);
      expect(host.cpu.exits).toBeGreaterThan(100);
      expect(report.violations).toEqual([]);
      expect(report.verdict).toBe('held');
    });
  });
});
