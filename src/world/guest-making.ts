// The guests of a world, made from their descriptions: each with its script and program, none of them alive yet.

import type { DmaEngine } from '../partitions/dma-engine.ts';
import type { Endpoint } from '../partitions/endpoint.ts';
import { GuestScript } from '../partitions/guest-script.ts';
import type { GuestDescription, ProgramMaker } from './description.ts';
import { guestProgram } from './guest-program.ts';
import type { WorldGuest } from './world-parts.ts';

/** A VM id that is never given: guests are named in scripts before they exist. */
const NOBODY = 0x7fff;

interface Surroundings {
  readonly programs: ReadonlyMap<string, ProgramMaker>;
  /** Endpoint ids by name; the guests' names are added. */
  readonly endpoints: Map<string, number>;
  readonly dma: DmaEngine;
}

/** Guests in the order of their descriptions; those that share one follow each other. */
export function makeGuests(descriptions: readonly GuestDescription[], surroundings: Surroundings): WorldGuest[] {
  const named: { readonly name: string; readonly description: GuestDescription }[] = [];
  for (const description of descriptions) {
    for (let n = 0; n < description.count; n++) {
      named.push({ name: description.count === 1 ? description.name : `${description.name}-${n}`, description });
    }
  }
  for (const { name } of named) surroundings.endpoints.set(name, NOBODY);
  const siblings = new Map<string, Endpoint>();
  return named.map(({ description, name }) => makeGuest(name, description, siblings, surroundings));
}

/** Each guest by its name, and those that share a description by that one's. */
export function byName(guests: readonly WorldGuest[]): Map<string, WorldGuest[]> {
  const found = new Map<string, WorldGuest[]>();
  for (const guest of guests) {
    found.set(guest.name, [guest]);
    if (guest.name === guest.description.name) continue;
    const alike = found.get(guest.description.name);
    if (alike === undefined) found.set(guest.description.name, [guest]);
    else alike.push(guest);
  }
  return found;
}

function makeGuest(
  name: string,
  description: GuestDescription,
  guests: Map<string, Endpoint>,
  { dma, endpoints, programs }: Surroundings,
): WorldGuest {
  const script = new GuestScript({
    vcpus: description.vcpus,
    version: description.ffaVersion,
    bits: description.bits,
    ramBase: description.ramBase,
    ramPages: description.pages,
    endpoints,
    guests,
  });
  guests.set(name, script.endpoint);
  return {
    name,
    description,
    script,
    program: guestProgram(name, description, script, { programs, endpoints, dma }),
    domain: null,
    vmId: 0,
    createError: 0,
    createdNs: null,
    destroyAskedNs: null,
    goneNs: null,
    pes: [],
    asleep: new Set(),
  };
}
