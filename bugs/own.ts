// Bugs of our own making, which nobody shipped: each takes out one thing that the default profile promises beyond what
// hypervisors do today (docs/reclaim.md), or breaks one property of the oracle and no other.

import {
  FFA_ERROR,
  FFA_MEM_RECLAIM,
  FFA_MEM_SHARE_32,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_RUN,
  FFA_SUCCESS_32,
} from '../src/abi/function-ids.ts';
import { type Coroutine, WAIT_STEP } from '../src/base/coroutine.ts';
import { EVENT_MEMORY_WRITE } from '../src/base/event-kinds.ts';
import type { Pe } from '../src/hardware/pe.ts';
import * as table from '../src/hypervisor/answer-table.ts';
import { run, sendDirectAnywhere } from '../src/hypervisor/direct-message.ts';
import type { Domain } from '../src/hypervisor/domain.ts';
import { plainRam } from '../src/hypervisor/guest-memory.ts';
import type { Hypervisor } from '../src/hypervisor/hypervisor.ts';
import { OwedUnmap } from '../src/hypervisor/owed.ts';
import { FFABRIC } from '../src/hypervisor/profiles/ffabric.ts';
import type { QuarantineEntry } from '../src/hypervisor/quarantine.ts';
import { type QuarantineRetry, RecordLifecycle } from '../src/hypervisor/record-lifecycle.ts';
import { callSimply } from '../src/hypervisor/spmc-answer.ts';
import { TeardownWorker } from '../src/hypervisor/teardown-worker.ts';
import type { Bug } from './bug.ts';
import { after, beforeTeardown, cell, handler, hypervisor, lifecycle, onRecord, profile, served } from './overrides.ts';

const GENERAL = 'explore/general';
const OURS = null;

class Undone extends RecordLifecycle {
  override *creationFailed(): Coroutine {}
}

class Trusting extends RecordLifecycle {
  override *retryQuarantine(_made: Hypervisor, _pe: Pe, entry: QuarantineEntry): Coroutine<QuarantineRetry> {
    yield WAIT_STEP;
    this.quarantine.release(entry);
    return 'released';
  }
}

class Unbounded extends RecordLifecycle {
  protected override worker(made: Hypervisor): TeardownWorker {
    return new TeardownWorker(made, this, Number.POSITIVE_INFINITY);
  }
}

/** Writes into the page that was RX once the guest has given it back. */
class WritesAfterwards extends RecordLifecycle {
  private rxFrame = -1;

  override *domainTeardown(made: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    this.rxFrame = domain.ffa?.rxFrame ?? -1;
    yield* super.domainTeardown(made, pe, domain);
  }

  override handOver(made: Hypervisor, domain: Domain): void {
    super.handOver(made, domain);
    if (this.rxFrame < 0) return;
    made.machine.frames.contents.words(this.rxFrame)[0] = 0;
    made.machine.events.emit(EVENT_MEMORY_WRITE, 0, 0, this.rxFrame, 0, 4);
  }
}

export const OWN: readonly Bug[] = [
  {
    id: 'own-pages-unpinned-while-shared',
    upstream: OURS,
    title: 'a guest that dies takes its pins with it',
    broke: 'Its pages are free while partitions have them.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P1',
    mutate: () =>
      beforeTeardown(({ shares, domain }, { machine, domains }) => {
        if (shares.length > 0) domains.get(domain);
        for (const { runCount, runs } of shares.splice(0)) {
          for (let n = 0; n < runCount; n++) machine.frames.putRange(runs[2 * n], runs[2 * n + 1]);
        }
      }),
  },
  {
    id: 'own-denied-counts-as-done',
    upstream: OURS,
    title: 'a reclaim that is DENIED counts as done',
    broke: 'Memory that a partition holds is given to the next guest.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P1',
    mutate: () => cell(table.REPLY_ERROR_DENIED, table.CALL_MEM_RECLAIM, 'done'),
  },
  {
    id: 'own-denied-counts-as-final',
    upstream: OURS,
    title: 'a reclaim that is DENIED is not tried again',
    broke: 'Memory that would have come back a second later is lost until restart.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P7',
    mutate: () => cell(table.REPLY_ERROR_DENIED, table.CALL_MEM_RECLAIM, 'quarantine'),
  },
  {
    id: 'own-buffers-returned-while-mapped',
    upstream: OURS,
    title: "a dead guest's buffers are returned without a word to the SPMC",
    broke: 'The SPMC writes into pages of the next guest.',
    kind: 'lifecycle',
    world: 'destroyed-while-held',
    property: 'P1',
    mutate: () =>
      onRecord((record, _context, { machine }) => {
        record.owed = record.owed.filter((item) => !(item instanceof OwedUnmap));
        machine.frames.putRange(record.txFrame, 1);
        machine.frames.putRange(record.rxFrame, 1);
      }),
  },
  {
    id: 'own-quarantine-trusts-the-operator',
    upstream: OURS,
    title: 'an operator gets quarantined pages back without the SPMC being asked',
    broke: 'Pages that a partition may still have are free.',
    kind: 'lifecycle',
    world: 'quarantine-retried-by-operator',
    property: 'P1',
    mutate: () => lifecycle((made) => new Trusting(made)),
  },
  {
    id: 'own-creation-half-undone',
    upstream: OURS,
    title: 'a creation that fails half way is not undone',
    broke: 'Partitions believe in a guest that never was.',
    kind: 'lifecycle',
    world: 'creation-refused-half-way',
    property: 'P6',
    mutate: () => lifecycle((made) => new Undone(made)),
  },
  {
    id: 'own-rounds-without-bound',
    upstream: OURS,
    title: 'a round of teardown makes as many SMCs as it likes',
    broke: 'A thousand deaths keep one PE in the hypervisor.',
    kind: 'lifecycle',
    world: 'many-die-at-once',
    property: 'P12',
    mutate: () => lifecycle((made) => new Unbounded(made)),
  },
  {
    id: 'own-id-used-again-at-once',
    upstream: OURS,
    title: 'a VM id is free as soon as its domain is gone',
    broke: 'A new guest meets memory and messages of the one before it.',
    kind: 'lifecycle',
    world: 'vm-id-reused',
    property: 'P15',
    mutate: () =>
      hypervisor(({ domains }) => {
        Object.assign(domains, { retain: () => undefined, unretain: () => undefined });
      }),
  },
  {
    id: 'own-half-a-send-forgotten',
    upstream: OURS,
    title: 'a guest that dies between two fragments leaves its send open',
    broke: 'The SPMC holds pages under a handle that nobody knows.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P1b',
    mutate: () =>
      beforeTeardown(({ partial }, { machine }) => {
        for (const { share } of partial.splice(0)) {
          for (let n = 0; n < share.runCount; n++) machine.frames.putRange(share.runs[2 * n], share.runs[2 * n + 1]);
        }
      }),
  },
  {
    id: 'own-unfinished-request-forgotten',
    upstream: OURS,
    title: "nobody runs a partition on that was preempted in a dead guest's request",
    broke: 'The partition serves the dead, and the next guest of that id finds it so.',
    kind: 'lifecycle',
    world: GENERAL,
    property: 'P12',
    mutate: () =>
      beforeTeardown((context) => {
        context.unfinished.length = 0;
      }),
  },
  {
    id: 'own-bitmap-forgotten',
    upstream: OURS,
    title: "a dead guest's notification bitmap stays at the SPMC",
    broke: 'The next guest of that id inherits its bindings.',
    kind: 'lifecycle',
    world: 'notifications',
    property: 'P15',
    mutate: () =>
      beforeTeardown((context) => {
        context.bitmapAtSpmc = false;
      }),
  },
  {
    id: 'own-anyone-runs-anybody',
    upstream: OURS,
    title: 'FFA_RUN reaches whatever partition a guest names',
    broke: 'A guest runs a partition on that serves another, and gets its answer.',
    kind: 'messages',
    world: 'impersonation',
    property: 'P11',
    mutate: () => handler([FFA_RUN], () => run),
  },
  {
    id: 'own-guest-speaks-as-hypervisor',
    upstream: OURS,
    title: 'the framework bit of a direct message is passed on',
    broke: 'A guest tells partitions that another guest is dead.',
    kind: 'messages',
    world: GENERAL,
    property: 'P11',
    mutate: () => handler([FFA_MSG_SEND_DIRECT_REQ_32], () => sendDirectAnywhere),
  },
  {
    id: 'own-limit-not-kept',
    upstream: OURS,
    title: 'a guest may have as many shares as it likes',
    broke: 'One guest uses up the slots of all.',
    kind: 'limits',
    world: 'share-limit',
    property: 'P19',
    mutate: () => ({
      ...profile({ limits: { ...FFABRIC.limits, sharesPerGuest: 99 } }),
      oracle: { sharesPerGuestMax: FFABRIC.limits.sharesPerGuest },
    }),
  },
  {
    id: 'own-pages-not-scrubbed',
    upstream: OURS,
    title: 'pages go from one guest to the next as they are',
    broke: 'A new guest reads what a dead one wrote.',
    kind: 'memory',
    world: 'one-guest-dies',
    property: 'P18',
    mutate: () =>
      hypervisor(({ machine }) => {
        machine.frames.scrub = () => undefined;
      }),
  },
  {
    id: 'own-page-pinned-and-not-named',
    upstream: OURS,
    title: 'a share pins a page that it does not send',
    broke: 'What was checked is not what is used.',
    kind: 'memory',
    world: 'one-guest-dies',
    property: 'P10',
    mutate: () =>
      served([FFA_MEM_SHARE_32], function* ({ hypervisor: { machine }, context, usual }) {
        const { stage2, serial, config } = context.domain;
        const frame = plainRam(stage2, config.ramBase / 4096 + config.pageCount - 1);
        machine.frames.getRange(frame, 1, serial);
        yield* usual();
        machine.frames.putRange(frame, 1);
      }),
  },
  {
    id: 'own-pin-dropped-for-a-moment',
    upstream: OURS,
    title: 'a reclaim drops the pins before it asks, and takes them again',
    broke: 'For a moment nothing keeps pages that a partition has.',
    kind: 'memory',
    world: 'one-guest-dies',
    property: 'P1b',
    mutate: () =>
      served([FFA_MEM_RECLAIM], function* ({ hypervisor: { machine }, context, usual }) {
        for (const { runs } of context.shares.slice(0, 1)) {
          machine.frames.putRange(runs[0], runs[1]);
          machine.frames.getRange(runs[0], runs[1], context.domain.serial);
        }
        yield* usual();
      }),
  },
  {
    id: 'own-reclaimed-twice',
    upstream: OURS,
    title: 'a reclaim that succeeded is sent once more',
    broke: 'It strikes whoever has the handle by then.',
    kind: 'memory',
    world: 'one-guest-dies',
    property: 'P4',
    mutate: () =>
      served([FFA_MEM_RECLAIM], function* ({ hypervisor: { secure }, pe, vcpu: { registers }, context, usual }) {
        const [low, high] = [registers.w(1), registers.w(2)];
        yield* usual();
        if (registers.w(0) === FFA_SUCCESS_32) yield* callSimply(secure, pe, context.vmId, FFA_MEM_RECLAIM, low, high);
      }),
  },
  {
    id: 'own-refused-call-keeps-a-page',
    upstream: OURS,
    title: 'a reclaim that is refused leaves a page pinned until the next one',
    broke: 'A call that failed has changed something.',
    kind: 'memory',
    world: 'one-guest-dies',
    property: 'P8',
    mutate: () =>
      served([FFA_MEM_RECLAIM], function* ({ hypervisor: { machine }, vcpu, context, usual }) {
        const { stage2, serial, config } = context.domain;
        const frame = plainRam(stage2, config.ramBase / 4096 + config.pageCount - 1);
        if (machine.frames.references(frame) > 1) machine.frames.putRange(frame, 1);
        yield* usual();
        if (vcpu.registers.w(0) === FFA_ERROR) machine.frames.getRange(frame, 1, serial);
      }),
  },
  {
    id: 'own-free-page-written',
    upstream: OURS,
    title: 'the mediator writes into a page that it has given back',
    broke: 'Whoever has the page by then finds something in it.',
    kind: 'lifecycle',
    world: 'one-guest-dies',
    property: 'P4',
    mutate: () => lifecycle((made) => new WritesAfterwards(made)),
  },
  {
    id: 'own-reserved-register-not-zero',
    upstream: OURS,
    title: 'an answer leaves something in a register that nothing defines',
    broke: 'A guest that looks there learns what it should not.',
    kind: 'abi',
    world: 'one-guest-dies',
    property: 'P13',
    mutate: () =>
      after([FFA_MEM_RECLAIM], ({ vcpu: { registers } }) => {
        if (registers.w(0) !== FFA_ERROR) registers.setW(5, 0x5a);
      }),
  },
];
