// From steps to memory regions: what a step sends, and a borrower's own record of what it retrieves.

import { PAGE_SIZE_BYTES, TWO_POW_32 } from '../base/units.ts';
import type { GuestScript } from './guest-script.ts';
import type { SendStep } from './guest-step.ts';
import type { GuestVcpu } from './guest-vcpu.ts';
import type { MemoryRegion, PageRange } from './memory-region.ts';

/** The region that a step sends, kept under its name; null when the guest has no room left. */
export function regionToSend(script: GuestScript, vcpu: GuestVcpu, step: SendStep): MemoryRegion | null {
  const ranges = rangesToSend(script, vcpu, step);
  if (ranges === null) return null;
  const tag = script.word(vcpu, step.tag ?? 0);
  const to = Array.isArray(step.to) ? step.to : [step.to];
  const region: MemoryRegion = {
    name: script.nameOf(vcpu, step.name),
    kind: step.step,
    owner: step.sender === undefined ? script.endpoint.id : script.endpointId(step.sender),
    receivers: to.map((reference) => script.endpointId(reference)),
    ranges,
    handleLow: 0,
    handleHigh: 0,
    tagLow: tag.low,
    tagHigh: tag.high,
    state: 'sending',
  };
  script.endpoint.regions.set(region.name, region);
  return region;
}

function rangesToSend(script: GuestScript, vcpu: GuestVcpu, step: SendStep): readonly PageRange[] | null {
  if (step.ranges === undefined) return script.pages.take(step.pages ?? 1, step.scattered === true);
  const ranges = step.ranges.map((spec) => {
    if (spec.address === undefined) {
      return { address: script.pages.base + (spec.page ?? 0) * PAGE_SIZE_BYTES, pageCount: spec.count };
    }
    const { low, high } = script.word(vcpu, spec.address);
    return { address: low + high * TWO_POW_32, pageCount: spec.count };
  });
  script.pages.note(ranges);
  return ranges;
}

/** A borrower's own record of another guest's region; null when there is no such region. */
export function regionToRetrieve(script: GuestScript, vcpu: GuestVcpu, name: string): MemoryRegion | null {
  const theirs = script.region(vcpu, name);
  if (theirs === null) return null;
  const own: MemoryRegion = { ...theirs, name: script.nameOf(vcpu, name), ranges: [], state: 'sent' };
  script.endpoint.regions.set(own.name, own);
  return own;
}
