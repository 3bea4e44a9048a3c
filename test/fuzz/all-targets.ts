// Every fuzz target by name, with the module that holds it: a worker loads that module alone, so that only its code is
// counted.

export interface TargetPlace {
  readonly name: string;
  readonly module: string;
  /** One line for `--list`. */
  readonly about: string;
}

const DOOR = './targets/door-targets.js';

export const TARGET_PLACES: readonly TargetPlace[] = [
  { name: 'door-ffabric', module: DOOR, about: 'guests and a hostile secure world, profile ffabric, with the oracle' },
  { name: 'door-rewrite', module: DOOR, about: 'profile ffabric twice: TX lies still, and changes as it is read' },
  { name: 'door-xen-2026', module: DOOR, about: 'guests and a hostile secure world, profile xen-2026' },
  { name: 'door-xen-2026-vm-to-vm', module: DOOR, about: 'the same, profile xen-2026-vm-to-vm' },
  { name: 'door-xen-2024', module: DOOR, about: 'the same, profile xen-2024' },
];
