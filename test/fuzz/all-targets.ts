// Every fuzz target by name, with the module that holds it: a worker loads that module alone, so that only its code is
// counted.

export interface TargetPlace {
  readonly name: string;
  readonly module: string;
  /** One line for `--list`. */
  readonly about: string;
}

const DESCRIPTORS = './targets/descriptor-targets.js';
const TEXT = './targets/text-targets.js';
const RECORDINGS = './targets/recording-targets.js';
const DOOR = './targets/door-targets.js';

export const TARGET_PLACES: readonly TargetPlace[] = [
  { name: 'door-spmc', module: DOOR, about: 'hostile guests and hostile partitions, profile ffabric, our own SPMC' },
  { name: 'spmc-raw', module: DOOR, about: 'our own SPMC: a hypervisor and partitions that do what they like' },
  { name: 'door-ffabric', module: DOOR, about: 'guests and a hostile secure world, profile ffabric, with the oracle' },
  { name: 'door-rewrite', module: DOOR, about: 'profile ffabric twice: TX lies still, and changes as it is read' },
  { name: 'door-xen-2026', module: DOOR, about: 'guests and a hostile secure world, profile xen-2026' },
  { name: 'door-xen-2026-vm-to-vm', module: DOOR, about: 'the same, profile xen-2026-vm-to-vm' },
  { name: 'door-xen-2024', module: DOOR, about: 'the same, profile xen-2024' },
  {
    name: 'memory-transaction',
    module: DESCRIPTORS,
    about: 'memory transaction descriptors, each version, whole and first fragments',
  },
  { name: 'relinquish', module: DESCRIPTORS, about: 'relinquish descriptors' },
  { name: 'partition-information', module: DESCRIPTORS, about: 'partition information of 8, 24, 40 and 48 bytes' },
  { name: 'message-header', module: DESCRIPTORS, about: 'headers of indirect messages, each version' },
  { name: 'boot-information', module: DESCRIPTORS, about: 'boot information 1.0 and 1.1' },
  { name: 'rxtx-descriptor', module: DESCRIPTORS, about: 'RX/TX descriptors' },
  { name: 'notification-info', module: DESCRIPTORS, about: 'answers of FFA_NOTIFICATION_INFO_GET' },
  { name: 'partition-information-registers', module: DESCRIPTORS, about: 'answers of FFA_PARTITION_INFO_GET_REGS' },
  { name: 'call-registers', module: DESCRIPTORS, about: 'registers of calls and of answers' },
  { name: 'device-tree', module: DESCRIPTORS, about: 'device-tree blobs' },
  { name: 'partition-manifest', module: DESCRIPTORS, about: 'partition manifests' },
  { name: 'recording-lines', module: RECORDINGS, about: 'recordings of an SPMC, and our SPMC under their calls' },
  { name: 'vector-lines', module: TEXT, about: 'lines of vector files' },
  { name: 'event-file', module: TEXT, about: 'event files' },
  { name: 'world-file', module: TEXT, about: 'world files (YAML)' },
  { name: 'decode-text', module: TEXT, about: 'hex and registers as decode takes them' },
];
