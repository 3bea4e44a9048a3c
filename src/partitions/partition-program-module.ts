// Programs of a user's own: a JavaScript module that a world file names, or an object in a test. It gives a
// PartitionEntry, the same interface that all endpoints have: run the vCPU to its next call, work, or idleness, with
// plain state between.
//
// A module for an SP that counts its messages:
//
//     import { EXIT_CALL } from 'ffabric/hardware';
//     export function create(environment) {
//       let count = 0;
//       return {
//         run(context) {
//           const r = context.registers;
//           if (r.w(0) === 0x8400006f) {              // FFA_MSG_SEND_DIRECT_REQ: answer with the count
//             r.set8(0x84000070, (r.w(1) << 16) | (r.w(1) >>> 16), 0, ++count);
//           } else {
//             r.set8(0x8400006b);                     // FFA_MSG_WAIT
//           }
//           return EXIT_CALL;
//         },
//         reset() { count = 0; },
//       };
//     }
//
// It must be deterministic: no clock but `context.nowNs`, no randomness, no promises. What it keeps between two
// entries must be gone after `reset`.

import type { Ipa } from '../base/units.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import type { DmaEngine } from './dma-engine.ts';

/** What a program is told when it is made. */
export interface ProgramEnvironment {
  /** The endpoint's name in its world. */
  readonly name: string;
  readonly kind: 'partition' | 'guest';
  /** FF-A version that it is to speak, e.g. 0x10001. */
  readonly version: number;
  readonly vcpuCount: number;
  /** Its RX/TX buffers; a guest's are where its layout puts them, and nothing stops it from using others. */
  readonly txAddress: Ipa;
  readonly rxAddress: Ipa;
  /** True: the buffers are mapped already, by the manifest. */
  readonly buffersMapped: boolean;
  /** Its own memory. */
  readonly memory: { readonly address: Ipa; readonly pageCount: number };
  /** Ids of all endpoints of the world by name. */
  readonly endpoints: ReadonlyMap<string, number>;
  /** The world's DMA device. */
  readonly dma: DmaEngine;
  /** What the world file says under `parameters`. */
  readonly parameters: Readonly<Record<string, unknown>>;
}

/** What such a module exports. */
export interface PartitionProgramModule {
  create(environment: ProgramEnvironment): PartitionEntry;
}
