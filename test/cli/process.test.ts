// What only a real process shows: exit codes, streams, a reader that goes away, Ctrl-C.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..', '..');
const bin = join(root, 'bin', 'ffabric.js');
let directory = '';

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ffabric-process-'));
});
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(argv: readonly string[]): ChildProcessWithoutNullStreams {
  return spawn(process.execPath, [bin, ...argv], { cwd: root, env: { ...process.env, NO_COLOR: '' } });
}

function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => {
    stdout += data;
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  return new Promise((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}

describe('the ffabric process', () => {
  it('gives data to standard output and nothing to standard error', async () => {
    const child = start(['decode', '-', '--json']);
    child.stdin.end('x0=0x84000060 x2=-6\n');
    const { code, stdout, stderr } = await ended(child);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ kind: 'registers', sets: [{ name: 'FFA_ERROR', error: 'DENIED' }] });
  });

  it('ends with 2 and one line for a mistake of the user', async () => {
    const child = start(['decode', 'no-such-file.bin']);
    const { code, stdout, stderr } = await ended(child);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr.split('\n')).toHaveLength(2);
  });

  it('reads a binary file', async () => {
    const file = join(directory, 'relinquish.bin');
    writeFileSync(file, Buffer.from('0700000000000000000000000100000001800000', 'hex'));
    const { code, stdout } = await ended(start(['decode', file]));
    expect(code).toBe(0);
    expect(stdout).toContain('endpoints[0]   0x8001');
  });

  it('is silent when its reader goes away, and still says what it found', async () => {
    const file = join(directory, 'large.bin');
    const large = Buffer.alloc(1 << 17);
    for (let n = 0; n < large.length; n += 16) large.writeUInt32LE(n, n);
    writeFileSync(file, large);
    const child = start(['decode', '--as', 'constituents', '--all', file]);
    let stderr = '';
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('exit', resolve));
    expect(stderr).toBe('');
    expect(code).toBe(1);
  });

  it('ends with 130 on Ctrl-C, with what it found so far', async () => {
    const many = Array.from({ length: 200 }, () => 'vectors/xen-2024.share.jsonl.gz');
    const child = start(['conform', ...many]);
    const end = ended(child);
    child.stdout.once('data', () => child.kill('SIGINT'));
    const { code, signal, stderr, stdout } = await end;
    expect({ code, signal, stderr }).toEqual({ code: 130, signal: null, stderr: '' });
    expect(stdout).toMatch(/passed, 0 failed, \d+ skipped of [\d,]+ sessions, [\d,]+ guest calls, [\d.]+ s\n$/);
    expect(stdout.split('\n').length).toBeLessThan(many.length);
  });

  it('is ended by the system at once when a verb has nothing to say', async () => {
    const child = start(['decode', '-']);
    const end = ended(child);
    // The verb waits for its input; the shell calls an end by SIGINT 130 as well.
    child.kill('SIGINT');
    const { signal, stdout } = await end;
    expect({ signal, stdout }).toEqual({ signal: 'SIGINT', stdout: '' });
  });
});
