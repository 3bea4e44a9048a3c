// Answers of the secure world that the fuzzer found to end wrongly.

import { describe, expect, it } from 'vitest';
import { FFA_ABORTED, FFA_INVALID_PARAMETERS } from '../../src/abi/errors.ts';
import * as id from '../../src/abi/function-ids.ts';
import { PAGE_SIZE_BYTES } from '../../src/base/units.ts';
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
