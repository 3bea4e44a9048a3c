// The payload of a `message` step: the words of protocol.ts when it says what to `do`, else the step's own words.

import { NS_PER_US } from '../base/units.ts';
import type { GuestScript } from './guest-script.ts';
import type { MessageStep } from './guest-step.ts';
import type { GuestVcpu } from './guest-vcpu.ts';
import type { MemoryRegion } from './memory-region.ts';
import * as protocol from './protocol.ts';

/** Payload registers as low and high words in turn; null when the region that it is about does not exist. */
export function messageWords(script: GuestScript, vcpu: GuestVcpu, step: MessageStep): number[] | null {
  const words: number[] = [];
  if (step.do !== undefined) {
    words.push(protocol.PROTOCOL_OPERATIONS[step.do], 0);
    if (step.region !== undefined) {
      const region = script.region(vcpu, step.region);
      if (region === null) return null;
      words.push(region.handleLow, 0, region.handleHigh, 0);
      if (step.do === 'retrieve') words.push(howWord(region, script.endpointId(step.to)), 0, region.tagLow, 0);
    }
    if (step.durationNs !== undefined) words.push(Math.ceil(step.durationNs / NS_PER_US), 0);
  }
  for (const expression of step.words ?? []) {
    const { low, high } = script.word(vcpu, expression);
    words.push(low, high);
  }
  return words;
}

/** Word 3 of RETRIEVE. One other borrower is named; of more, this one asks alone. */
function howWord(region: MemoryRegion, receiver: number): number {
  const kind = protocol.protocolKindWord(region.kind);
  const others = region.receivers.filter((id) => id !== receiver);
  if (others.length === 0) return kind;
  if (others.length > 1) return kind | protocol.PROTOCOL_BYPASS_OTHERS;
  return (kind | (others[0] << protocol.PROTOCOL_OTHER_BORROWER_SHIFT)) >>> 0;
}
