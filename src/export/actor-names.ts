// Who is who in a run. Events name VMs, partitions and texts by number; whoever made the world knows what they are
// called.

import { formatEndpointId } from '../abi/endpoint-ids.ts';

export interface NamedActor {
  /** FF-A endpoint id. */
  readonly id: number;
  readonly name: string;
}

export interface ActorNames {
  /** Guests, in the order in which they are drawn; an id may come twice, with the names of both who had it. */
  readonly vms: readonly NamedActor[];
  /** Secure partitions, in the order in which they are drawn. */
  readonly sps: readonly NamedActor[];
  /** Frame owners: a domain's serial, with the name of that incarnation of its VM id; and whom no event introduces. */
  readonly owners?: readonly NamedActor[];
  /**
   * What a number means that an event carries, by `kind.argument`: `story.line`, `quarantine.reason`, `fault.fault`.
   * The number is the index.
   */
  readonly texts?: Readonly<Record<string, readonly string[]>>;
}

export const NO_NAMES: ActorNames = { vms: [], sps: [] };

/** Names by id, of whoever was asked for before: a thousand guests make a list too long to walk for each event. */
const NAMES_BY_ID = new WeakMap<ActorNames, Map<number, string>>();

/** The name of an endpoint: as given, or its id. An id that several had has all their names. */
export function endpointName(names: ActorNames, endpointId: number): string {
  if (endpointId === 0) return 'hypervisor';
  return namesById(names).get(endpointId) ?? formatEndpointId(endpointId);
}

/** Names of one's own, to rename endpoints in. */
export function copyNames(names: ActorNames): ActorNames {
  return { ...names };
}

/** From here on the endpoint has that name in `names` (a copy: see `copyNames`). */
export function renameEndpoint(names: ActorNames, endpointId: number, name: string): void {
  namesById(names).set(endpointId, name);
}

function namesById(names: ActorNames): Map<number, string> {
  let byId = NAMES_BY_ID.get(names);
  if (byId === undefined) {
    byId = new Map();
    for (const { id, name } of [...names.vms, ...names.sps]) {
      const before = byId.get(id);
      byId.set(id, before === undefined || before === name ? name : `${before}/${name}`);
    }
    NAMES_BY_ID.set(names, byId);
  }
  return byId;
}

/** What number `index` of `kind.argument` means; undefined where nobody said. */
export function textOf(names: ActorNames, kindAndArgument: string, index: number): string | undefined {
  return names.texts?.[kindAndArgument]?.[index];
}
