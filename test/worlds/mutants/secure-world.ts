// The SPMC's chapters with something taken out: messages, interrupts, power, memory of partitions, personalities.

import { FFA_MEM_PERM_SET_64, FFA_MSG_SEND_DIRECT_RESP_32, FFA_RUN } from '../../../src/abi/function-ids.ts';
import { FFA_VERSION_1_1 } from '../../../src/abi/versions.ts';
import type { Pending } from '../../../src/base/coroutine.ts';
import type { RegisterFile } from '../../../src/hardware/registers.ts';
import { run } from '../../../src/hypervisor/direct-message.ts';
import { answerSuccess } from '../../../src/spmc/answers.ts';
import type { Endpoint } from '../../../src/spmc/endpoint.ts';
import type { Partition } from '../../../src/spmc/partition.ts';
import { PERSONALITIES } from '../../../src/spmc/personalities/personality-table.ts';
import type { Personality } from '../../../src/spmc/personality.ts';
import type { Spmc } from '../../../src/spmc/spmc.ts';
import type { WorldParts } from '../../../src/world/world-parts.ts';
import { handler, type Mutant } from './mutant.ts';

/** A personality with something changed. */
function personality(name: string, change: (known: Personality) => Partial<Personality>): WorldParts {
  const known = PERSONALITIES.get(name) as Personality;
  return { personalities: new Map([[name, { ...known, ...change(known) }]]) };
}

/** Something done to each partition before it boots. */
function partitions(change: (partition: Partition) => void): WorldParts {
  return { spmc: (spmc) => spmc.partitions.forEach(change) };
}

/** An answer comes from whoever was last in the chain. */
const fromTheEnd: WorldParts = {
  conduit: (inner) => ({
    smc(pe): Pending {
      const pending = inner.smc(pe);
      const isAnswer = pe.smc.w(0) === FFA_MSG_SEND_DIRECT_RESP_32 && pe.smc.w(2) === 0;
      if (pending === null && isAnswer) pe.smc.setW(1, (pe.smc.w(1) + 0x1_0000) >>> 0);
      return pending;
    },
  }),
};

/** Nobody drives a device. */
function noDevices(spmc: Spmc): void {
  (spmc.interruptOwners as Map<number, Partition>).clear();
}

/** What went off stays off. */
function staysOff(spmc: Spmc): void {
  spmc.peOn = function* () {};
}

/** Every request to change permissions is granted, and forgotten. */
function grantsAll(spmc: Spmc): void {
  const { handlerOf } = spmc;
  const granting = { fetch: null, act: (_spmc: Spmc, _caller: Endpoint, r: RegisterFile) => answerSuccess(r) };
  spmc.handlerOf = (id) => (id === FFA_MEM_PERM_SET_64 ? granting : handlerOf(id));
}

const upsideDown = partitions(({ setup: { manifest } }) =>
  Object.assign(manifest, { bootOrder: -(manifest.bootOrder ?? 0) }),
);
const preempted = partitions((partition) => Object.assign(partition, { nsInterruptAction: 'signal' }));
/** All speak 1.1. */
const oneVersion = partitions((partition) =>
  Object.defineProperty(partition, 'version', { get: () => FFA_VERSION_1_1, set: () => undefined }),
);
/** What is taken from a partition stays mapped there. */
const keepsMapping = partitions(({ pages }) => {
  pages.unmap = () => undefined;
});

/** Its address is in another register. */
const elsewhere = partitions(({ setup: { manifest } }) => Object.assign(manifest, { bootRegister: 3 }));

export const SECURE_WORLD_MUTANTS: readonly Mutant[] = [
  { world: 'call-chain-between-partitions', takesOut: 'who answers', fires: 'expect', parts: fromTheEnd },
  { world: 'yield-and-preemption', takesOut: 'whom FFA_RUN reaches', fires: 'P11', parts: handler(FFA_RUN, () => run) },
  { world: 'managed-exit', takesOut: 'the word in the manifest', fires: 'expect', parts: preempted },
  { world: 'secure-interrupts', takesOut: 'whose device it is', fires: 'expect', parts: { spmc: noDevices } },
  { world: 'power-management', takesOut: 'starting again', fires: 'expect', parts: { spmc: staysOff } },
  { world: 'boot-order-and-console', takesOut: 'the order', fires: 'expect', parts: upsideDown },
  { world: 'boot-information', takesOut: 'the register', fires: 'expect', parts: elsewhere },
  { world: 'partition-restarts', takesOut: 'unmapping', fires: 'P5', parts: keepsMapping },
  { world: 'memory-permissions', takesOut: 'when it is allowed', fires: 'expect', parts: { spmc: grantsAll } },
  { world: 'partitions-share-lend-donate', takesOut: 'unmapping', fires: 'expect', parts: keepsMapping },
  { world: 'old-and-new-versions', takesOut: 'its version', fires: 'expect', parts: oneVersion },
  { world: 'partition-crash-gives-back', takesOut: 'unmapping', fires: 'P5', parts: keepsMapping },
  {
    world: 'partition-crash-gives-back',
    takesOut: 'giving back',
    fires: 'expect',
    parts: personality('hafnium', () => ({ freesOnAbort: false })),
  },
  {
    world: 'personality-tfa-el3',
    takesOut: 'handles that count',
    fires: 'expect',
    parts: personality('tfa-el3', () => ({ handleShape: 'slot-index' })),
  },
  {
    world: 'personality-optee',
    takesOut: 'taking back',
    fires: 'expect',
    parts: personality('optee', ({ availability }) => ({ availability: { ...availability, destroyed() {} } })),
  },
];
