// A small world in which a VM has buffers at the SPMC too, and endpoints send each other messages through theirs.

import { FFA_RXTX_MAP_64 } from '../../src/abi/function-ids.ts';
import { GUEST_MEMORY, HYPERVISOR_TX, PAGE, SmallWorld, SP1, said } from './small-world.ts';

export const VM = 3;
export const VM_TX = GUEST_MEMORY;
export const VM_RX = GUEST_MEMORY + PAGE;
/** The schedule receiver interrupt, as the hypervisor gets it on PE 0. */
export const SRI = { endpoint: 0, target: 0, id: 8 };

/** The descriptor with which the hypervisor forwards a VM's buffers. */
function forwarded(id: number, tx: number, rx: number, pages = 1): Uint8Array {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id, true);
  view.setUint32(4, 16, true);
  view.setUint32(8, 48, true);
  for (const [at, address] of [
    [16, rx],
    [48, tx],
  ]) {
    view.setUint32(at, pages, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 16, address, true);
    view.setUint32(at + 24, pages, true);
  }
  return bytes;
}

export class BufferWorld extends SmallWorld {
  mapVm(id = VM, tx = VM_TX, rx = VM_RX, pages = 1): string {
    this.write(HYPERVISOR_TX, forwarded(id, tx, rx, pages));
    return said(this.call(FFA_RXTX_MAP_64));
  }

  /** Writes a message of 1.2 into the buffer at `tx`. */
  message(tx: number, sender: number, receiver: number, text: string, offset = 40): void {
    const payload = new TextEncoder().encode(text);
    const bytes = new Uint8Array(Math.max(40, offset) + payload.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, offset, true);
    view.setUint16(12, receiver, true);
    view.setUint16(14, sender, true);
    view.setUint32(16, payload.length, true);
    bytes.set(payload, offset);
    this.write(tx, bytes);
  }

  txOf(id: number): number {
    return this.spmc.partitions[id - SP1].txFrame * PAGE;
  }

  rxOf(id: number): number {
    return this.spmc.partitions[id - SP1].rxFrame * PAGE;
  }
}
