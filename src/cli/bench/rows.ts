// The rows of `ffabric bench`, in the order in which they print.

import { FFA_MEM_RECLAIM, FFA_SUCCESS_32 } from '../../abi/function-ids.ts';
import { assert } from '../../base/assert.ts';
import type { Domain } from '../../hypervisor/domain.ts';
import type { Profile } from '../../hypervisor/profile.ts';
import { BenchMachine } from './bench-machine.ts';
import { EXPLORE_ROWS } from './explore-rows.ts';
import { measure, type Row, row } from './measure.ts';
import { MemoryBench } from './memory-bench.ts';
import { MessageBench } from './message-bench.ts';

export interface BenchContext {
  readonly profile: Profile;
  /** Replays all vectors once and returns the calls that it made; null when the vectors are not there. */
  readonly conform: (() => number) | null;
  /** Full garbage collection, when the running Node exposes it. */
  readonly collect: (() => void) | null;
}

export interface BenchRow {
  readonly name: string;
  readonly what: string;
  /** Xen's C on the machine of the ceilings, in nanoseconds; 0: not measured. */
  readonly xenNs: number;
  /** What a row may cost there. */
  readonly ceilingNs: number;
  run(context: BenchContext, calibrationNs: number): Row;
}

const PARTITIONS = 16;
const FRAMES = 1 << 16;
const GUEST_PAGES = 1024;

type GuestWork = (bench: BenchMachine, domain: Domain) => () => void;

/** A row in which one guest that is ready does the same again and again. */
function guestRow(name: string, what: string, xenNs: number, ceilingNs: number, prepare: GuestWork): BenchRow {
  return {
    name,
    what,
    xenNs,
    ceilingNs,
    run({ profile }, calibrationNs) {
      const bench = new BenchMachine(profile, FRAMES, PARTITIONS);
      const work = prepare(bench, bench.ready(GUEST_PAGES));
      const ns = measure((count) => {
        for (let n = 0; n < count; n++) work();
      });
      return row(name, ns, calibrationNs);
    },
  };
}

function shareRow(name: string, ranges: number, pages: number, xenNs: number, ceilingNs: number): BenchRow {
  const where = ranges === 1 ? 'one range' : `${ranges} ranges`;
  const what = `FFA_MEM_SHARE of ${ranges * pages} pages in ${where}, then FFA_MEM_RECLAIM`;
  return guestRow(name, what, xenNs, ceilingNs, (bench, domain) => {
    const vcpu = domain.vcpus[0];
    const length = bench.writeDescriptor(domain, ranges, pages);
    bench.shareAndReclaim(vcpu, length);
    assert(vcpu.registers.w(0) === FFA_SUCCESS_32, 'share and reclaim succeed');
    return () => bench.shareAndReclaim(vcpu, length);
  });
}

/** Guest, mediator, SPMC, the echo program, and all the way back. */
function echoRow(name: string, others: number): BenchRow {
  const beside = others === 0 ? '' : `, beside ${others} other partitions`;
  return {
    name,
    what: `a direct request to a partition that echoes it, and the response, through mediator and SPMC${beside}`,
    xenNs: 0,
    ceilingNs: 600,
    run({ profile }, calibrationNs) {
      const bench = new MessageBench(profile, others);
      bench.ask();
      assert(bench.answered, 'the partition answers');
      const ns = measure((count) => {
        for (let n = 0; n < count; n++) bench.ask();
      });
      return row(name, ns, calibrationNs);
    },
  };
}

const WARM_UP_ROUNDS = 30_000;
const ROUND_TRIP = 'share-retrieve-relinquish-reclaim-16';

/** Guest, mediator, SPMC and a partition: all that happens to 16 pages that are shared once. */
function roundTripRow(name: string, others: number): BenchRow {
  const beside = others === 0 ? '' : `, beside ${others} live transactions, partitions and pages each`;
  return {
    name,
    what: `a share of 16 pages, a request for whose sake a partition retrieves and relinquishes, a reclaim${beside}`,
    xenNs: 0,
    ceilingNs: 3_000,
    run({ profile }, calibrationNs) {
      const bench = new MemoryBench(profile, others);
      const length = bench.writeDescriptor(bench.guest, 1, SHARE_PAGES);
      bench.roundTrip(length);
      assert(bench.succeeded, 'the memory comes back');
      // So much code is run that a busy machine takes longer to compile it than other rows need.
      for (let n = 0; n < WARM_UP_ROUNDS; n++) bench.roundTrip(length);
      const ns = measure((count) => {
        for (let n = 0; n < count; n++) bench.roundTrip(length);
      });
      return row(name, ns, calibrationNs);
    },
  };
}

/** One guest's life: creation, version, buffers, 32 shares of 16 pages, destruction with reclaim. */
function life(bench: BenchMachine, pageCount: number, shares: number, pages: number): void {
  const domain = bench.ready(pageCount);
  const vcpu = domain.vcpus[0];
  const length = bench.writeDescriptor(domain, 1, pages);
  for (let n = 0; n < shares; n++) bench.share(vcpu, length);
  bench.destroy(domain);
}

const LIFE_PAGES = 64;
const SHARES = 32;
const SHARE_PAGES = 16;

function destroyRow(name: string, guests: number): BenchRow {
  return {
    name,
    what: `one guest's life and end with one share, of ${guests} one after another, ids reused`,
    xenNs: 0,
    ceilingNs: 0,
    run({ profile }, calibrationNs) {
      const bench = new BenchMachine(profile, FRAMES, PARTITIONS);
      for (let n = 0; n < 20_000; n++) life(bench, LIFE_PAGES, 1, 1);
      const repeats = Math.max(1, Math.round(100_000 / guests));
      const samples: number[] = [];
      for (let repeat = 0; repeat < Math.min(repeats, 200); repeat++) {
        const fresh = new BenchMachine(profile, FRAMES, PARTITIONS);
        const beganMs = performance.now();
        for (let n = 0; n < guests; n++) life(fresh, LIFE_PAGES, 1, 1);
        samples.push(((performance.now() - beganMs) * 1e6) / guests);
      }
      samples.sort((a, b) => a - b);
      return row(name, samples[samples.length >> 1], calibrationNs);
    },
  };
}

const ZOMBIES = 32_000;
const ZOMBIE_PAGES = 4;

export const ROWS: readonly BenchRow[] = [
  guestRow('version', 'FFA_VERSION', 4, 40, (bench, domain) => () => bench.version(domain.vcpus[0])),
  guestRow('direct-req', 'a direct request and its response', 26, 150, (bench, domain) => {
    const vcpu = domain.vcpus[0];
    return () => bench.directRequest(vcpu);
  }),
  guestRow('partition-info-16', 'a list of 16 partitions, and FFA_RX_RELEASE', 81, 200, (bench, domain) => {
    const vcpu = domain.vcpus[0];
    return () => bench.listPartitions(vcpu);
  }),
  shareRow('share-reclaim-1', 1, 1, 103, 300),
  shareRow('share-reclaim-16', 1, 16, 306, 400),
  shareRow('share-reclaim-128', 1, 128, 1_822, 2_000),
  shareRow('share-reclaim-255', 1, 255, 3_469, 3_500),
  shareRow('share-reclaim-scattered-251', 251, 1, 3_661, 6_000),
  {
    name: 'guest-life-32x16',
    what: 'a guest: creation, version, buffers, 32 shares of 16 pages, destruction with reclaim',
    xenNs: 9_774,
    ceilingNs: 12_000,
    run({ profile }, calibrationNs) {
      const bench = new BenchMachine(profile, FRAMES, PARTITIONS);
      const ns = measure((count) => {
        for (let n = 0; n < count; n++) life(bench, LIFE_PAGES, SHARES, SHARE_PAGES);
      });
      return row('guest-life-32x16', ns, calibrationNs);
    },
  },
  destroyRow('destroy-100', 100),
  destroyRow('destroy-100000', 100_000),
  {
    name: 'zombie-bytes',
    what: `bytes (not ns) for each of ${ZOMBIES} guests that are gone but for a share that is held`,
    xenNs: 0,
    ceilingNs: 2048,
    run({ profile, collect }, calibrationNs) {
      const frames = ZOMBIES * ZOMBIE_PAGES + FRAMES;
      const bench = new BenchMachine(profile, frames, PARTITIONS);
      bench.spmc.refuseReclaim = FFA_MEM_RECLAIM;
      collect?.();
      const before = process.memoryUsage();
      for (let n = 0; n < ZOMBIES; n++) life(bench, 18, 1, 1);
      collect?.();
      const after = process.memoryUsage();
      assert(bench.hypervisor.domains.retainedCount === ZOMBIES, 'every guest is held');
      const bytes = after.heapUsed - before.heapUsed + after.arrayBuffers - before.arrayBuffers;
      return row('zombie-bytes', bytes / ZOMBIES, calibrationNs);
    },
  },
  {
    name: 'conform',
    what: 'one guest call of the recorded vectors, replayed and compared',
    xenNs: 0,
    ceilingNs: 0,
    run({ conform }, calibrationNs) {
      if (conform === null) return row('conform', Number.NaN, calibrationNs);
      const beganMs = performance.now();
      const calls = conform();
      return row('conform', ((performance.now() - beganMs) * 1e6) / calls, calibrationNs);
    },
  },
  // Behind the mediator's own rows, so that those meet one SPMC only.
  echoRow('direct-req-sp', 0),
  echoRow('direct-req-sp-among-10000', 10_000),
  roundTripRow(ROUND_TRIP, 0),
  roundTripRow(`${ROUND_TRIP}-among-10`, 10),
  roundTripRow(`${ROUND_TRIP}-among-10000`, 10_000),
  ...EXPLORE_ROWS,
];
