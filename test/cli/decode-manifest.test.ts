// Manifests without `dtc`: blobs, cut blobs, and what a machine without it is told. The page decode-manifests.md has
// the rest.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { encodeDeviceTree } from '../../src/abi/device-tree.ts';
import { main } from '../../src/cli/main.ts';
import { FakeHost } from './fake-host.ts';

const directory = mkdtempSync(join(tmpdir(), 'ffabric-manifest-'));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

function cells(...values: number[]): Uint8Array {
  return Uint8Array.from(
    values.flatMap((value) => [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255]),
  );
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(`${value}\0`);
}

const BLOB = encodeDeviceTree({
  bootCpu: 0,
  reservations: [],
  root: {
    name: '',
    properties: [
      { name: 'compatible', value: text('arm,ffa-manifest-1.0') },
      { name: 'ffa-version', value: cells(0x10001) },
      { name: 'uuid', value: cells(1, 2, 3, 4) },
      { name: 'execution-ctx-count', value: cells(1) },
      { name: 'exception-level', value: cells(2) },
      { name: 'execution-state', value: cells(0) },
      { name: 'entrypoint-offset', value: cells(0x1000) },
      { name: 'xlat-granule', value: cells(0) },
      { name: 'messaging-method', value: cells(3) },
      { name: 'ns-interrupts-action', value: cells(2) },
    ],
    children: [],
  },
});

describe('decode of a manifest', () => {
  it('reads a blob from standard input', async () => {
    const host = new FakeHost({ input: BLOB });
    expect(await main(['decode', '-'], host)).toBe(0);
    expect(host.stderr).toBe('');
    expect(host.stdout).toContain('partition manifest 1.0\n  FF-A version             1.1\n');
    expect(host.stdout).toContain('runs at                  S-EL1, AArch64\n');
  });

  it('gives the same as data', async () => {
    const host = new FakeHost({ input: BLOB });
    expect(await main(['decode', '--json', '-'], host)).toBe(0);
    expect(JSON.parse(host.stdout)).toMatchObject({
      kind: 'manifest',
      manifest: { manifestVersion: '1.0', ffaVersion: 0x10001, executionContextCount: 1 },
      faults: [],
      unknown: [],
    });
  });

  it('says where a cut blob breaks', async () => {
    const host = new FakeHost({ input: BLOB.slice(0, 100) });
    expect(await main(['decode', '-'], host)).toBe(1);
    expect(host.stdout).toMatch(/^A manifest with a mistake:\n! \S+ at 0x[0-9a-f]+ is .+: .+\n$/);
  });

  it('names the package of dtc where there is none', async () => {
    writeFileSync(join(directory, 'sp.dts'), '/dts-v1/;\n/ { };\n');
    const host = new FakeHost({ directory, env: { PATH: directory } });
    expect(await main(['decode', 'sp.dts'], host)).toBe(2);
    expect(host.stdout).toBe('');
    expect(host.stderr).toBe(
      'ffabric: sp.dts: a device-tree source needs dtc, which is not installed; apt-get install device-tree-compiler\n',
    );
  });
});
