// Answers of the secure world that the fuzzer found to end wrongly.

import { describe, expect, it } from 'vitest';
import { FFA_ABORTED, FFA_BUSY, FFA_DENIED, FFA_INVALID_PARAMETERS, FFA_NO_MEMORY } from '../../src/abi/errors.ts';
import * as id from '../../src/abi/function-ids.ts';
import { PAGE_SIZE_BYTES } from '../../src/base/units.ts';
import { Pe } from '../../src/hardware/pe.ts';
import type { Domain } from '../../src/hypervisor/domain.ts';
import { type Answer, RAM_BASE, ScriptedMachine, type SmcRecord } from './scripted-machine.ts';

const SP = 0x8001;
const HANDLE = 0x77;
const FIRST_BYTES = 96;
const TOTAL_BYTES = 112;

function machine(): ScriptedMachine {
  return new ScriptedMachine([{ id: SP, properties: 1 }]);
}

/** The first of two fragments of a lend of two scattered pages. */
function lendFirstFragment(scripted: ScriptedMachine, domain: Domain): readonly number[] {
  scripted.describe(domain, SP, 16, 1, 2);
  const frame = domain.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES);
  // The composite announces two ranges.
  scripted.machine.frames.contents.write(frame * PAGE_SIZE_BYTES + 68, Uint8Array.of(2), 0, 1);
  return scripted.call(domain.vcpus[0], id.FFA_MEM_LEND_32, TOTAL_BYTES, FIRST_BYTES);
}

function failure(code: number): readonly number[] {
  return [id.FFA_ERROR, 0, code >>> 0];
}

function reclaims(scripted: ScriptedMachine): readonly SmcRecord[] {
  return scripted.spmc.named('FFA_MEM_RECLAIM');
}

it('takes a success before the last fragment for an answer out of place: pages in quarantine, no handle', () => {
  const scripted = machine();
  const domain = scripted.ready();
  scripted.spmc.answer = (name): Answer => (name === 'FFA_MEM_LEND_64' ? [id.FFA_SUCCESS_32, 0, HANDLE, 0] : null);
  const answer = lendFirstFragment(scripted, domain);
  expect(answer.slice(0, 3)).toEqual([id.FFA_ERROR, 0, FFA_ABORTED >>> 0]);
  expect([...scripted.records.quarantine.list()].map((entry) => entry.reason)).toEqual(['share-outcome-unknown']);
  expect(scripted.records.handles.find(HANDLE, 0)).toBeNull();
  scripted.destroy(domain);
  scripted.ticks(20);
  expect(reclaims(scripted)).toEqual([]);
  expect(scripted.missingPages).toBe(1);
});

it('ends a teardown whose handle was issued anew to a share that has gone before the next round', () => {
  const scripted = machine();
  const first = scripted.ready();
  const second = scripted.ready();
  let refuse = true;
  scripted.spmc.answer = (name): Answer => {
    if (name === 'FFA_MEM_SHARE_64') return [id.FFA_SUCCESS_32, 0, HANDLE, 0];
    return name === 'FFA_MEM_RECLAIM' && refuse ? [id.FFA_ERROR, 0, FFA_INVALID_PARAMETERS >>> 0] : null;
  };
  scripted.share(first, SP);
  scripted.destroy(first);
  expect(scripted.records.records.size).toBe(1);
  refuse = false;
  scripted.share(second, SP);
  expect(scripted.call(second.vcpus[0], id.FFA_MEM_RECLAIM, HANDLE)[0]).toBe(id.FFA_SUCCESS_32);
  const sent = reclaims(scripted).length;
  expect(scripted.tick()).toBe(true);
  expect(scripted.records.records.size).toBe(0);
  expect(reclaims(scripted)).toHaveLength(sent);
});

it('moves a donation to quarantine when its handle is issued anew to a send in fragments', () => {
  const scripted = machine();
  const donor = scripted.ready();
  const other = scripted.ready();
  scripted.spmc.answer = (name, words): Answer => {
    if (name === 'FFA_MEM_DONATE_64') return [id.FFA_SUCCESS_32, 0, HANDLE, 0];
    return name === 'FFA_MEM_LEND_64' ? [id.FFA_MEM_FRAG_RX, HANDLE, 0, words[2]] : null;
  };
  scripted.describe(donor, SP, 16, 1);
  expect(scripted.call(donor.vcpus[0], id.FFA_MEM_DONATE_32, 96, 96)[0]).toBe(id.FFA_SUCCESS_32);
  expect(lendFirstFragment(scripted, other)[0]).toBe(id.FFA_MEM_FRAG_RX);
  expect([...scripted.records.quarantine.list()].map((entry) => entry.reason)).toEqual(['donated']);
  // The donor's end must not reclaim what is the other's now.
  scripted.destroy(donor);
  expect(reclaims(scripted)).toEqual([]);
});

describe('a direct reply', () => {
  const OTHER = 0x8002;

  function askSp(scripted: ScriptedMachine, domain: Domain): readonly number[] {
    return scripted.call(domain.vcpus[0], id.FFA_MSG_SEND_DIRECT_REQ_32, ((domain.vmId << 16) | SP) >>> 0);
  }

  function reply(sender: number, domain: Domain): Answer {
    return [id.FFA_MSG_SEND_DIRECT_RESP_32, ((sender << 16) | domain.vmId) >>> 0];
  }

  it('of another partition than was asked does not reach the guest', () => {
    const scripted = machine();
    const domain = scripted.ready();
    scripted.spmc.answer = () => reply(OTHER, domain);
    expect(askSp(scripted, domain).slice(0, 3)).toEqual([id.FFA_ERROR, 0, FFA_ABORTED >>> 0]);
    scripted.spmc.answer = () => reply(SP, domain);
    expect(askSp(scripted, domain)[0]).toBe(id.FFA_MSG_SEND_DIRECT_RESP_32);
  });

  it('is that of who was asked, when another one was preempted meanwhile and is run', () => {
    const scripted = machine();
    const domain = scripted.ready();
    const target = OTHER * 0x1_0000;
    scripted.spmc.answer = () => [id.FFA_INTERRUPT, target];
    expect(askSp(scripted, domain)[0]).toBe(id.FFA_INTERRUPT);
    scripted.spmc.answer = () => reply(SP, domain);
    expect(scripted.call(domain.vcpus[0], id.FFA_RUN, target)[0]).toBe(id.FFA_MSG_SEND_DIRECT_RESP_32);
    scripted.spmc.answer = () => [id.FFA_INTERRUPT, target];
    askSp(scripted, domain);
    scripted.spmc.answer = () => reply(OTHER, domain);
    expect(scripted.call(domain.vcpus[0], id.FFA_RUN, target)[0], 'what was run was not asked').toBe(id.FFA_ERROR);
  });
});

describe('a send that was preempted', () => {
  const ELSEWHERE = 0x8002_0000;

  /** A share that is preempted at SP; FFA_RUN is answered by these, in turn. */
  function preempted(...answers: readonly Answer[]): { scripted: ScriptedMachine; answer: readonly number[] } {
    const scripted = machine();
    const domain = scripted.ready();
    let runs = 0;
    scripted.spmc.answer = (name): Answer => {
      if (name === 'FFA_MEM_SHARE_64') return [id.FFA_INTERRUPT, SP * 0x1_0000];
      return name === 'FFA_RUN' ? answers[Math.min(runs++, answers.length - 1)] : null;
    };
    return { scripted, answer: scripted.share(domain, SP, 16, 2) };
  }

  it('has an unknown outcome when FFA_RUN led on to another vCPU and brings an error that may be its own', () => {
    const { scripted, answer } = preempted([id.FFA_INTERRUPT, ELSEWHERE], failure(FFA_INVALID_PARAMETERS));
    expect([answer[0], answer[2] | 0]).toEqual([id.FFA_ERROR, FFA_ABORTED]);
    expect([...scripted.records.quarantine.list()].map((entry) => entry.reason)).toEqual(['share-outcome-unknown']);
    expect(scripted.spmc.named('FFA_RUN').map(({ words }) => words[1])).toEqual([SP * 0x1_0000, ELSEWHERE]);
  });

  it('is refused when the error can only be its own', () => {
    const { scripted, answer } = preempted([id.FFA_INTERRUPT, ELSEWHERE], failure(FFA_NO_MEMORY));
    expect(answer[2] | 0).toBe(FFA_NO_MEMORY);
    expect(scripted.records.quarantine.size).toBe(0);
    expect(preempted(failure(FFA_DENIED)).answer[2] | 0, 'the vCPU that it named answers').toBe(FFA_DENIED);
  });

  it('is run on while its vCPU is busy', () => {
    const { scripted, answer } = preempted(failure(FFA_BUSY), [id.FFA_SUCCESS_32, 0, HANDLE, 0]);
    expect(answer.slice(0, 4)).toEqual([id.FFA_SUCCESS_32, 0, HANDLE, 0]);
    expect(scripted.spmc.named('FFA_RUN')).toHaveLength(2);
    expect(preempted(failure(FFA_BUSY)).answer[2] | 0, 'busy for ever: nobody knows').toBe(FFA_ABORTED);
  });
});

describe('what a dead guest\u2019s call left preempted', () => {
  function destroyed(call: string, run: Answer): ScriptedMachine {
    const scripted = new ScriptedMachine([{ id: SP, properties: 0x1c1 }]);
    const domain = scripted.ready();
    scripted.share(domain, SP);
    scripted.spmc.answer = (name): Answer => {
      if (name === call) return [id.FFA_INTERRUPT, SP * 0x1_0000];
      return name === 'FFA_RUN' ? run : null;
    };
    scripted.destroy(domain);
    return scripted;
  }

  it('is not sent again while the vCPU that took it is busy', () => {
    const scripted = destroyed('VM_DESTROYED', failure(FFA_BUSY));
    scripted.ticks(5);
    expect(scripted.spmc.named('VM_DESTROYED')).toHaveLength(1);
    expect(scripted.spmc.named('FFA_RUN').length).toBeGreaterThan(5);
  });

  it('is not done because FFA_RUN says INVALID_PARAMETERS: buffers that may be mapped go to quarantine', () => {
    const scripted = destroyed('FFA_RXTX_UNMAP', failure(FFA_INVALID_PARAMETERS));
    expect([...scripted.records.quarantine.list()].map((entry) => entry.reason)).toEqual(['buffers-still-mapped']);
    expect(scripted.missingPages).toBe(2);
  });
});

describe('half a send whose guest is dead', () => {
  function half(fragment: (words: readonly number[]) => Answer): ScriptedMachine {
    const scripted = machine();
    const domain = scripted.ready();
    scripted.spmc.answer = (name, words): Answer => {
      if (name === 'FFA_MEM_LEND_64') return [id.FFA_MEM_FRAG_RX, HANDLE, 0, words[2]];
      return name === 'FFA_MEM_FRAG_TX' ? fragment(words) : null;
    };
    expect(lendFirstFragment(scripted, domain)[0]).toBe(id.FFA_MEM_FRAG_RX);
    scripted.destroy(domain);
    return scripted;
  }

  it('is not ended at another\u2019s cost: nothing is sent while its handle may be somebody else\u2019s', () => {
    const scripted = half(() => failure(FFA_BUSY));
    scripted.records.sharesInFlight++;
    scripted.tick();
    expect(scripted.spmc.named('FFA_MEM_FRAG_TX')).toHaveLength(1);
    scripted.records.sharesInFlight--;
    // The handle is issued anew: that proves that the send which had it is over.
    const other = scripted.ready();
    expect(lendFirstFragment(scripted, other)[0]).toBe(id.FFA_MEM_FRAG_RX);
    scripted.tick();
    expect(scripted.spmc.named('FFA_MEM_FRAG_TX')).toHaveLength(1);
    expect([scripted.records.records.size, other.ffa?.partial.length]).toEqual([0, 1]);
  });

  it('goes to quarantine when the SPMC is busy to the end', () => {
    const scripted = half(() => failure(FFA_BUSY));
    scripted.ticks(10);
    expect([...scripted.records.quarantine.list()].map((entry) => entry.reason)).toEqual(['share-outcome-unknown']);
  });

  it('goes to quarantine when its end is a success under another handle', () => {
    const scripted = half(() => [id.FFA_SUCCESS_32, 0, HANDLE + 1, 0]);
    expect(reclaims(scripted)).toEqual([]);
    expect(scripted.missingPages).toBe(1);
  });
});

describe('a further fragment', () => {
  function opened(): { scripted: ScriptedMachine; domain: Domain; send: () => readonly number[] } {
    const scripted = machine();
    const domain = scripted.ready();
    scripted.spmc.answer = (name, words): Answer =>
      name === 'FFA_MEM_LEND_64' ? [id.FFA_MEM_FRAG_RX, HANDLE, 0, words[2]] : null;
    lendFirstFragment(scripted, domain);
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, RAM_BASE + 20 * PAGE_SIZE_BYTES, true);
    view.setUint32(8, 1, true);
    scripted.writeTx(domain, bytes);
    return { scripted, domain, send: () => scripted.call(domain.vcpus[0], id.FFA_MEM_FRAG_TX, HANDLE, 0, 16) };
  }

  it('for which the SPMC is busy leaves the send open, its pages pinned; the guest may try again', () => {
    const { scripted, domain, send } = opened();
    scripted.spmc.answer = () => failure(FFA_BUSY);
    expect(send()[2] | 0).toBe(FFA_BUSY);
    const frame = (page: number): number => domain.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES + page);
    const { frames } = scripted.machine;
    expect([frames.references(frame(16)), frames.references(frame(20))], 'pins').toEqual([2, 1]);
    scripted.spmc.answer = () => [id.FFA_SUCCESS_32, 0, HANDLE, 0];
    expect(send().slice(0, 4)).toEqual([id.FFA_SUCCESS_32, 0, HANDLE, 0]);
    expect(frames.references(frame(20))).toBe(2);
  });

  it('that ends in a success under another handle has an unknown outcome', () => {
    const { scripted, send } = opened();
    scripted.spmc.answer = () => [id.FFA_SUCCESS_32, 0, HANDLE + 1, 0];
    expect(send()[2] | 0).toBe(FFA_ABORTED);
    expect(scripted.records.quarantine.pageCount).toBe(2);
  });
});

describe('the first reclaim of a donation', () => {
  function donated(): { scripted: ScriptedMachine; donor: Domain; other: Domain } {
    const scripted = machine();
    const donor = scripted.ready();
    const other = scripted.ready();
    scripted.spmc.answer = (name): Answer => (name === 'FFA_MEM_DONATE_64' ? [id.FFA_SUCCESS_32, 0, HANDLE, 0] : null);
    scripted.describe(donor, SP, 16, 1);
    expect(scripted.call(donor.vcpus[0], id.FFA_MEM_DONATE_32, 96, 96)[0]).toBe(id.FFA_SUCCESS_32);
    return { scripted, donor, other };
  }

  it('of a dead donor waits for sends that may have got its handle', () => {
    const { scripted, donor } = donated();
    scripted.records.sharesInFlight++;
    scripted.destroy(donor);
    expect(reclaims(scripted)).toEqual([]);
    scripted.records.sharesInFlight--;
    scripted.tick();
    expect(reclaims(scripted)).toHaveLength(1);
  });

  it('of a living donor waits for them too', () => {
    const { scripted, donor } = donated();
    scripted.records.sharesInFlight++;
    expect(scripted.call(donor.vcpus[0], id.FFA_MEM_RECLAIM, HANDLE)[2] | 0).toBe(FFA_BUSY);
    expect(reclaims(scripted)).toEqual([]);
  });

  it('strikes nobody else when its handle was issued anew after the donor\u2019s death, and frees no page', () => {
    const { scripted, donor, other } = donated();
    scripted.records.sharesInFlight++;
    scripted.destroy(donor);
    scripted.records.sharesInFlight--;
    scripted.spmc.answer = (name): Answer => (name === 'FFA_MEM_SHARE_64' ? [id.FFA_SUCCESS_32, 0, HANDLE, 0] : null);
    expect(scripted.share(other, SP)[2]).toBe(HANDLE);
    scripted.tick();
    expect(reclaims(scripted)).toEqual([]);
    const [entry] = [...scripted.records.quarantine.list()];
    expect(entry.reason).toBe('donated');
    // A handle that is somebody else's proves nothing about pages that a partition owns.
    const retry = scripted.drive(scripted.records.retryQuarantine(scripted.hypervisor, scripted.pe, entry));
    expect([retry, scripted.records.quarantine.pageCount]).toEqual(['no-handle', 1]);
  });
});

describe('buffers that the SPMC may map', () => {
  it('stay pinned when FFA_RXTX_MAP is preempted and never answered', () => {
    const scripted = machine();
    const { domain } = scripted.create();
    if (domain === null) throw new Error('no guest');
    scripted.call(domain.vcpus[0], id.FFA_VERSION, 0x1_0001);
    scripted.spmc.answer = () => [id.FFA_INTERRUPT, SP * 0x1_0000];
    const answer = scripted.call(domain.vcpus[0], id.FFA_RXTX_MAP_64, RAM_BASE, RAM_BASE + PAGE_SIZE_BYTES, 1);
    expect([answer[0], answer[2] | 0]).toEqual([id.FFA_ERROR, FFA_ABORTED]);
    scripted.spmc.answer = () => null;
    scripted.destroy(domain);
    expect([scripted.missingPages, scripted.records.retired.get(domain.vmId)]).toEqual([2, 'quarantine']);
  });

  it('stay the guest\u2019s when FFA_RXTX_UNMAP is preempted and FFA_RUN says INVALID_PARAMETERS', () => {
    const scripted = machine();
    const domain = scripted.ready();
    const frame = domain.stage2.translate(RAM_BASE / PAGE_SIZE_BYTES);
    scripted.spmc.answer = (name): Answer => {
      if (name === 'FFA_RXTX_UNMAP') return [id.FFA_YIELD, SP * 0x1_0000];
      return name === 'FFA_RUN' ? failure(FFA_INVALID_PARAMETERS) : null;
    };
    expect(scripted.call(domain.vcpus[0], id.FFA_RXTX_UNMAP)[0]).toBe(id.FFA_ERROR);
    expect([domain.ffa?.buffersMapped, scripted.machine.frames.references(frame)]).toEqual([true, 2]);
    scripted.spmc.answer = (name): Answer => (name === 'FFA_RXTX_UNMAP' ? [id.FFA_YIELD, SP * 0x1_0000] : null);
    expect(scripted.call(domain.vcpus[0], id.FFA_RXTX_UNMAP)[0], 'run on to its end').toBe(id.FFA_SUCCESS_32);
    expect(scripted.machine.frames.references(frame)).toBe(1);
  });
});

describe('a handle that is issued anew while its reclaim is on its way', () => {
  /** Whatever the first guest's reclaim is answered: before that, the second guest's share gets its handle. */
  function reissue(answer: readonly number[]) {
    const scripted = machine();
    const first = scripted.ready();
    const second = scripted.ready();
    const vcpu = second.vcpus[0];
    scripted.spmc.answer = (name): Answer => {
      if (name === 'FFA_MEM_SHARE_64') return [id.FFA_SUCCESS_32, 0, HANDLE, 0];
      if (name !== 'FFA_MEM_RECLAIM' || vcpu.registers.w(2) === HANDLE) return null;
      scripted.describe(second, SP, 16, 1);
      vcpu.registers.set8(id.FFA_MEM_SHARE_32, FIRST_BYTES, FIRST_BYTES);
      expect(scripted.hypervisor.guestCall(new Pe(1), vcpu)).toBeNull();
      return answer;
    };
    scripted.share(first, SP);
    return { scripted, first, second, vcpu };
  }

  it.each([
    ['SUCCESS', [id.FFA_SUCCESS_32]],
    ['an error: the handle proves that it has ended', failure(FFA_DENIED)],
  ])('is the new share\u2019s; the old one is reclaimed, answered %s', (_name, answer) => {
    const { scripted, first, second, vcpu } = reissue(answer);
    expect(scripted.call(first.vcpus[0], id.FFA_MEM_RECLAIM, HANDLE)[0]).toBe(id.FFA_SUCCESS_32);
    expect([vcpu.registers.w(0), vcpu.registers.w(2)]).toEqual([id.FFA_SUCCESS_32, HANDLE]);
    expect([...scripted.records.quarantine.list()]).toEqual([]);
    expect(scripted.records.handles.find(HANDLE, 0)?.holder).toBe(second.ffa);
    scripted.destroy(first);
    scripted.destroy(second);
    expect(reclaims(scripted)).toHaveLength(2);
    expect(scripted.missingPages).toBe(0);
  });

  it('is the new share\u2019s when a teardown reclaims too', () => {
    const { scripted, first, second, vcpu } = reissue(failure(FFA_BUSY));
    scripted.destroy(first);
    expect([vcpu.registers.w(0), vcpu.registers.w(2)]).toEqual([id.FFA_SUCCESS_32, HANDLE]);
    scripted.ticks(3);
    // Nothing was sent that would have struck the second guest's share.
    expect(reclaims(scripted)).toHaveLength(1);
    expect(scripted.records.records.size).toBe(0);
    scripted.destroy(second);
    expect(scripted.missingPages).toBe(0);
  });
});
