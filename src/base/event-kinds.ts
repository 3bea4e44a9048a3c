// Every kind of event: its number, its name, the names of its arguments, and the lane that draws it. The numbers are
// part of the event-file format: never renumber, only append.
//
// Registers of a call: eight numbers x0..x7. When any upper half is 2^21 or more, they are the eight lower halves alone
// and the `_HIGH` record follows with the eight upper halves; when any of x8..x17 is not zero, `_REST` records follow.

export interface EventKind {
  readonly name: string;
  /** Names of the arguments, in order; a name that ends in `Hex` prints in hexadecimal, `Ns` as a time. */
  readonly arguments: readonly string[];
}

/** Version of the event-file format: raised when a kind changes its meaning. */
export const EVENT_FORMAT = 1;

// The guest's door: HVC or SMC from a guest, and the answer. Arguments: VM id, x0..x7.
export const EVENT_GUEST_CALL = 1;
export const EVENT_GUEST_RETURN = 2;
// The secure door: the hypervisor's SMC and its answer. Arguments: VM id on whose behalf (0: its own), x0..x7.
export const EVENT_SMC = 3;
export const EVENT_SMC_RETURN = 4;
// A partition's door: an SP's call to the SPMC, and what it gets back. Arguments: SP id, x0..x7.
export const EVENT_SP_CALL = 5;
export const EVENT_SP_RETURN = 6;
// Upper halves of the eight registers of the record before: the same first argument, then eight words.
export const EVENT_REGISTERS_HIGH = 7;
// x8..x12 (part 0), x13..x17 (part 1), upper halves of x8..x12 (part 2), of x13..x17 (part 3): id, part, five words.
export const EVENT_REGISTERS_REST = 8;

export const EVENT_FRAME_ALLOCATE = 20;
export const EVENT_FRAME_FREE = 21;
export const EVENT_FRAME_GET = 22;
export const EVENT_FRAME_PUT = 23;
export const EVENT_FRAME_SCRUB = 24;
export const EVENT_FRAME_OWNER = 25;
export const EVENT_MAP = 26;
export const EVENT_UNMAP = 27;
export const EVENT_DMA_START = 28;
export const EVENT_DMA_END = 29;
export const EVENT_MEMORY_WRITE = 30;
export const EVENT_MEMORY_READ = 31;

// A domain's life, told by the hypervisor. CREATE: memory and id are assigned, and nothing has been said or done
// under the id yet. CREATE_FAILED: before what was done is undone. DYING: before its teardown begins. ZOMBIE: its own
// reference has gone and others keep it. GONE: the last reference has gone. GET and PUT carry the references after
// the change.
export const EVENT_DOMAIN_CREATE = 40;
export const EVENT_DOMAIN_DYING = 41;
export const EVENT_DOMAIN_ZOMBIE = 42;
export const EVENT_DOMAIN_GONE = 43;
export const EVENT_DOMAIN_GET = 44;
export const EVENT_DOMAIN_PUT = 45;
export const EVENT_DOMAIN_CREATE_FAILED = 46;
export const EVENT_VM_ID_RETIRED = 47;

// Teardown, told by the hypervisor. BEGIN: a record (or the teardown itself) starts; ROUND: it tries again; WAIT: it
// stands until `untilNs`; END: nothing of it is left, or only what is in quarantine. QUARANTINE: one share (or one
// buffer pair: handle 0) will not be asked for again; `frame` is its first. SHARE_LIVE and SHARE_DEAD: a share entered
// or left the hypervisor's books under that VM.
export const EVENT_TEARDOWN_BEGIN = 50;
export const EVENT_TEARDOWN_ROUND = 51;
export const EVENT_TEARDOWN_WAIT = 52;
export const EVENT_TEARDOWN_END = 53;
export const EVENT_QUARANTINE = 54;
export const EVENT_QUARANTINE_RELEASE = 55;
export const EVENT_ANSWER_CLASS = 56;
export const EVENT_SHARE_LIVE = 57;
export const EVENT_SHARE_DEAD = 58;

// Timers: ARM and STOP come from virtual time, FIRE from whoever runs the timer's handler, with the PE that runs it.
// LOCK and UNLOCK come from the lock, with its holder's PE.
export const EVENT_TIMER_ARM = 60;
export const EVENT_TIMER_FIRE = 61;
export const EVENT_TIMER_STOP = 62;
export const EVENT_INTERRUPT = 63;
export const EVENT_LOCK = 64;
export const EVENT_UNLOCK = 65;

export const EVENT_SP_ENTER = 70;
export const EVENT_SP_EXIT = 71;
export const EVENT_SP_CRASH = 72;
export const EVENT_SP_PREEMPTED = 73;
export const EVENT_SP_WORK = 74;
/** A partition runs from its first instruction, for another time. */
export const EVENT_SP_RESTART = 76;
export const EVENT_SP_STOP = 77;
// A secure interrupt, or the request for a managed exit, becomes pending at a partition.
export const EVENT_SECURE_INTERRUPT = 75;

export const EVENT_FAULT = 80;
export const EVENT_STORY = 81;
export const EVENT_EXPECTATION = 82;
export const EVENT_VIOLATION = 83;
export const EVENT_CHOICE = 84;

const REGISTERS = ['x0Hex', 'x1Hex', 'x2Hex', 'x3Hex', 'x4Hex', 'x5Hex', 'x6Hex', 'x7Hex'];

function kind(name: string, ...names: string[]): EventKind {
  return { name, arguments: names };
}

/** Every kind by its number, in order. */
export const EVENT_KINDS: ReadonlyMap<number, EventKind> = new Map([
  [EVENT_GUEST_CALL, kind('guest-call', 'vm', ...REGISTERS)],
  [EVENT_GUEST_RETURN, kind('guest-return', 'vm', ...REGISTERS)],
  [EVENT_SMC, kind('smc', 'vm', ...REGISTERS)],
  [EVENT_SMC_RETURN, kind('smc-return', 'vm', ...REGISTERS)],
  [EVENT_SP_CALL, kind('sp-call', 'sp', ...REGISTERS)],
  [EVENT_SP_RETURN, kind('sp-return', 'sp', ...REGISTERS)],
  [EVENT_REGISTERS_HIGH, kind('registers-high', 'endpoint', ...REGISTERS)],
  [EVENT_REGISTERS_REST, kind('registers-rest', 'endpoint', 'part', 'aHex', 'bHex', 'cHex', 'dHex', 'eHex')],
  [EVENT_FRAME_ALLOCATE, kind('frame-allocate', 'frameHex', 'count', 'owner')],
  [EVENT_FRAME_FREE, kind('frame-free', 'frameHex', 'count', 'owner')],
  [EVENT_FRAME_GET, kind('frame-get', 'frameHex', 'count', 'owner')],
  [EVENT_FRAME_PUT, kind('frame-put', 'frameHex', 'count', 'owner')],
  [EVENT_FRAME_SCRUB, kind('frame-scrub', 'frameHex', 'count', 'owner')],
  [EVENT_FRAME_OWNER, kind('frame-owner', 'frameHex', 'count', 'owner', 'before')],
  [EVENT_MAP, kind('map', 'space', 'gfnHex', 'frameHex', 'count', 'attributesHex')],
  [EVENT_UNMAP, kind('unmap', 'space', 'gfnHex', 'frameHex', 'count')],
  [EVENT_DMA_START, kind('dma-start', 'sp', 'frameHex', 'count')],
  [EVENT_DMA_END, kind('dma-end', 'sp', 'frameHex', 'count')],
  [EVENT_MEMORY_WRITE, kind('memory-write', 'endpoint', 'frameHex', 'offset', 'length')],
  [EVENT_MEMORY_READ, kind('memory-read', 'endpoint', 'frameHex', 'offset', 'length')],
  [EVENT_DOMAIN_CREATE, kind('domain-create', 'vm', 'serial', 'pages')],
  [EVENT_DOMAIN_DYING, kind('domain-dying', 'vm', 'serial')],
  [EVENT_DOMAIN_ZOMBIE, kind('domain-zombie', 'vm', 'serial', 'pages', 'references')],
  [EVENT_DOMAIN_GONE, kind('domain-gone', 'vm', 'serial')],
  [EVENT_DOMAIN_GET, kind('domain-get', 'vm', 'serial', 'references')],
  [EVENT_DOMAIN_PUT, kind('domain-put', 'vm', 'serial', 'references')],
  [EVENT_DOMAIN_CREATE_FAILED, kind('domain-create-failed', 'vm', 'serial', 'error')],
  [EVENT_VM_ID_RETIRED, kind('vm-id-retired', 'vm', 'reason')],
  [EVENT_TEARDOWN_BEGIN, kind('teardown-begin', 'vm', 'serial', 'shares', 'messages', 'pages')],
  [EVENT_TEARDOWN_ROUND, kind('teardown-round', 'vm', 'round', 'shares', 'messages')],
  [EVENT_TEARDOWN_WAIT, kind('teardown-wait', 'vm', 'untilNs', 'shares', 'messages')],
  [EVENT_TEARDOWN_END, kind('teardown-end', 'vm', 'rounds', 'quarantinedPages')],
  [EVENT_QUARANTINE, kind('quarantine', 'vm', 'reason', 'handleLowHex', 'handleHighHex', 'pages', 'frameHex')],
  [EVENT_QUARANTINE_RELEASE, kind('quarantine-release', 'vm', 'how', 'handleLowHex', 'handleHighHex', 'pages')],
  [EVENT_ANSWER_CLASS, kind('answer-class', 'vm', 'call', 'class', 'w0Hex', 'w2Hex', 'w3Hex')],
  [EVENT_SHARE_LIVE, kind('share-live', 'vm', 'handleLowHex', 'handleHighHex', 'pages', 'receiver')],
  [EVENT_SHARE_DEAD, kind('share-dead', 'vm', 'handleLowHex', 'handleHighHex', 'pages', 'receiver')],
  [EVENT_TIMER_ARM, kind('timer-arm', 'timer', 'expiryNs')],
  [EVENT_TIMER_FIRE, kind('timer-fire', 'timer', 'expiryNs')],
  [EVENT_TIMER_STOP, kind('timer-stop', 'timer')],
  [EVENT_INTERRUPT, kind('interrupt', 'endpoint', 'interrupt')],
  [EVENT_LOCK, kind('lock', 'lock', 'rank')],
  [EVENT_UNLOCK, kind('unlock', 'lock', 'rank')],
  [EVENT_SP_ENTER, kind('sp-enter', 'sp', 'vcpu')],
  [EVENT_SP_EXIT, kind('sp-exit', 'sp', 'vcpu', 'exit')],
  [EVENT_SP_CRASH, kind('sp-crash', 'sp', 'vcpu')],
  [EVENT_SP_PREEMPTED, kind('sp-preempted', 'sp', 'vcpu', 'caller')],
  [EVENT_SP_WORK, kind('sp-work', 'sp', 'vcpu', 'workNs')],
  [EVENT_SP_RESTART, kind('sp-restart', 'sp')],
  [EVENT_SP_STOP, kind('sp-stop', 'sp', 'vcpu')],
  [EVENT_SECURE_INTERRUPT, kind('secure-interrupt', 'sp', 'vcpu', 'interrupt')],
  [EVENT_FAULT, kind('fault', 'fault', 'fidHex', 'answerHex')],
  [EVENT_STORY, kind('story', 'line')],
  [EVENT_EXPECTATION, kind('expectation', 'expectation', 'held')],
  [EVENT_VIOLATION, kind('violation', 'property', 'violation')],
  [EVENT_CHOICE, kind('choice', 'site', 'bound', 'value')],
]);
