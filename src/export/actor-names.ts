// Who is who in a run. Events name VMs, partitions and texts by number; whoever made the world knows what they are
// called.

import { formatEndpointId } from '../abi/endpoint-ids.ts';

export interface NamedActor {
  /** FF-A endpoint id. */
  readonly id: number;
  readonly name: string;
}

export interface ActorNames {
  /** Guests, in the order in which they are drawn. */
  readonly vms: readonly NamedActor[];
  /** Secure partitions, in the order in which they are drawn. */
  readonly sps: readonly NamedActor[];
  /** Frame owners that no event introduces (`domain-create` introduces a domain's serial). */
  readonly owners?: readonly NamedActor[];
  /**
   * What a number means that an event carries, by `kind.argument`: `story.line`, `quarantine.reason`, `fault.fault`.
   * The number is the index.
   */
  readonly texts?: Readonly<Record<string, readonly string[]>>;
}

export const NO_NAMES: ActorNames = { vms: [], sps: [] };

/** Names by id, of whoever was asked for before: a thousand guests make a list too long to walk for each event. */
const NAMES_BY_ID = new WeakMap<ActorNames, ReadonlyMap<number, string>>();

/** The name of an endpoint: as given, or its id. */
export function endpointName(names: ActorNames, endpointId: number): string {
  if (endpointId === 0) return 'hypervisor';
  let byId = NAMES_BY_ID.get(names);
  if (byId === undefined) {
    byId = new Map([...names.vms, ...names.sps].map(({ id, name }) => [id, name]));
    NAMES_BY_ID.set(names, byId);
  }
  return byId.get(endpointId) ?? formatEndpointId(endpointId);
}

/** What number `index` of `kind.argument` means; undefined where nobody said. */
export function textOf(names: ActorNames, kindAndArgument: string, index: number): string | undefined {
  return names.texts?.[kindAndArgument]?.[index];
}
