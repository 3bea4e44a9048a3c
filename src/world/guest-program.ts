// What a guest's vCPUs run: the script of its description, or a program that the world's maker brings.

import { UserError } from '../base/user-error.ts';
import type { PartitionEntry } from '../hardware/partition-entry.ts';
import type { DmaEngine } from '../partitions/dma-engine.ts';
import type { GuestScript } from '../partitions/guest-script.ts';
import type { GuestDescription, ProgramMaker } from './description.ts';

/** What a world has for its programs. */
interface Surroundings {
  readonly programs: ReadonlyMap<string, ProgramMaker>;
  readonly endpoints: ReadonlyMap<string, number>;
  readonly dma: DmaEngine;
}

/** A program that was not brought is a UserError. */
export function guestProgram(
  name: string,
  description: GuestDescription,
  script: GuestScript,
  { dma, endpoints, programs }: Surroundings,
): PartitionEntry {
  if (description.program === undefined) return script;
  const maker = programs.get(description.program);
  if (maker === undefined) throw new UserError(`guest ${name}: program '${description.program}' was not loaded`);
  return maker({
    name,
    kind: 'guest',
    version: description.ffaVersion,
    vcpuCount: description.vcpus.length,
    txAddress: script.endpoint.txAddress,
    rxAddress: script.endpoint.rxAddress,
    buffersMapped: false,
    memory: { address: description.ramBase, pageCount: description.pages },
    endpoints,
    dma,
    parameters: description.parameters ?? {},
  });
}
