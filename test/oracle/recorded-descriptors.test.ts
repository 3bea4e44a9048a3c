// The oracle's own reader of descriptors against the bytes that the recorded mediator wrote for the SPMC.

import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { FrameContents } from '../../src/hardware/frame-contents.ts';
import { DescriptorReader } from '../../src/oracle/model/descriptor.ts';
import { KIND_SHARE, Transaction } from '../../src/oracle/model/transaction.ts';

interface Smc {
  readonly in: readonly string[];
  readonly tx?: string;
}

/** Every SMC of a recorded file that came with the hypervisor's TX page. */
function recorded(name: string): Smc[] {
  const text = gunzipSync(readFileSync(new URL(`../../vectors/${name}`, import.meta.url))).toString();
  const found: Smc[] = [];
  const look = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) look(item);
    else if (typeof value === 'object' && value !== null) {
      const smc = value as Partial<Smc>;
      if (Array.isArray(smc.in) && typeof smc.tx === 'string') found.push(smc as Smc);
      else for (const item of Object.values(value)) look(item);
    }
  };
  for (const line of text.split('\n')) if (line !== '') look(JSON.parse(line));
  return found;
}

const SHARE_64 = 0xc4000073;
const TX = 0x1000;

test.each([
  ['xen-2024.share.jsonl.gz', 16],
  ['xen-2026.share.jsonl.gz', 16],
])('what %s recorded for the SPMC is read whole', (name, accessSize) => {
  const shares = recorded(name).filter((smc) => Number(smc.in[0]) === SHARE_64);
  expect(shares.length).toBeGreaterThan(300);
  const reader = new DescriptorReader();
  let pages = 0;
  let ranges = 0;
  for (const smc of shares) {
    const bytes = Uint8Array.from(Buffer.from(smc.tx as string, 'hex'));
    const contents = new FrameContents();
    contents.write(TX, bytes, 0, bytes.length);
    const length = Number(smc.in[1]);
    const read = new Transaction(KIND_SHARE, 0);
    expect(reader.readTransaction(contents, TX, length, 0x10001, read)).toBe(true);
    const [first] = read.receivers;
    expect(read.receivers.length).toBe(1);
    expect(first.permissions).toBe(2);
    expect(read.attributes).toBe(0x2f);
    expect([16, 32]).toContain(read.accessSize);
    expect(read.pageCount).toBe(read.pagesAnnounced);
    // The mediator merges neighbours before it writes them, so nothing is left to merge.
    expect(length).toBe(48 + read.accessSize + 16 + 8 * read.ranges.length);
    if (read.accessSize === accessSize) ranges += read.ranges.length / 2;
    pages += read.pageCount;
  }
  expect(ranges).toBeGreaterThan(300);
  expect(pages).toBeGreaterThan(ranges);
});
