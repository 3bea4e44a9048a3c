// What drivers write to TX that is no memory transaction.

import { FFA_VERSION_1_2 } from '../../../src/abi/versions.ts';

/** The descriptor with which the hypervisor forwards a VM's buffers. */
export function forwardedBuffers(id: number, tx: number, rx: number, wrong: { rxOffset?: number } = {}): Uint8Array {
  const bytes = new Uint8Array(80);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, id, true);
  view.setUint32(4, wrong.rxOffset ?? 16, true);
  view.setUint32(8, 48, true);
  for (const [at, address] of [
    [16, rx],
    [48, tx],
  ]) {
    view.setUint32(at, 1, true);
    view.setUint32(at + 4, 1, true);
    view.setUint32(at + 16, address, true);
    view.setUint32(at + 24, 1, true);
  }
  return bytes;
}

/** A message of four bytes, with the header of the sender's version. */
export function indirectMessage(
  sender: number,
  receiver: number,
  version = FFA_VERSION_1_2,
  wrong: { offset?: number; size?: number } = {},
): Uint8Array {
  const header = version >= FFA_VERSION_1_2 ? 40 : 20;
  const bytes = new Uint8Array(header + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(8, wrong.offset ?? header, true);
  view.setUint16(12, receiver, true);
  view.setUint16(14, sender, true);
  view.setUint32(16, wrong.size ?? 4, true);
  return bytes;
}
