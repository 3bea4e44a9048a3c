// Every kind of step of a guest script and its fields, as a table: one source for the schema of world files, for
// messages and for documentation. The compiler holds it against the types of guest-step.ts: a field that is missing
// here, or that is too much, does not compile.

import type { GuestStep, GuestStepKind } from './guest-step.ts';
import { PROTOCOL_OPERATIONS } from './protocol.ts';

/**
 * What a field holds:
 * - `name`: of a region, a variable or saved registers; `region`: a name, or `guest:name`; `endpoint`, `endpoints`;
 * - `integer`, `boolean`; `duration`, `time`: nanoseconds (the field's name ends in `Ns`; a world file drops the
 *   suffix and writes a number with its unit);
 * - `word`, `words`: expressions (word-expression.ts); `answer`: words, or null for any; `hex`, `hexes`: hexadecimal
 *   digits;
 * - `ranges`, `version`, `uuid`, `expectation`, `condition`, `steps`: as in guest-step.ts; `choice`: one of `choices`.
 */
export type FieldType =
  | 'name'
  | 'region'
  | 'endpoint'
  | 'endpoints'
  | 'integer'
  | 'boolean'
  | 'duration'
  | 'time'
  | 'word'
  | 'words'
  | 'answer'
  | 'hex'
  | 'hexes'
  | 'ranges'
  | 'version'
  | 'uuid'
  | 'expectation'
  | 'condition'
  | 'steps'
  | 'choice';

export interface FieldRow {
  readonly type: FieldType;
  readonly required?: true;
  /** For `integer`: the least and greatest value. */
  readonly min?: number;
  readonly max?: number;
  /** For `choice`. */
  readonly choices?: readonly string[];
  /** What holds when the field is absent, as text. */
  readonly default?: string;
  readonly doc: string;
}

export interface StepRow {
  readonly summary: string;
  /** The field that a bare value stands for, e.g. `- wait: 5 ms`. */
  readonly bare?: string;
  readonly fields: Readonly<Record<string, FieldRow>>;
}

type FieldsOf<Kind extends GuestStepKind> = Exclude<keyof Extract<GuestStep, { step: Kind }>, 'step'>;
type StepTable = {
  readonly [Kind in GuestStepKind]: StepRow & { readonly fields: { readonly [Field in FieldsOf<Kind>]-?: FieldRow } };
};

const U32_MAX = 0xffff_ffff;
/** Most rounds of a `repeat`. */
export const REPEAT_TIMES_MAX = 1_000_000;
/** Most pages of one region. */
export const REGION_PAGES_MAX = 0x10_0000;

const EXPECT: FieldRow = { type: 'expectation', default: 'SUCCESS', doc: 'how the step must end' };
const EXPECT_ANY: FieldRow = { type: 'expectation', default: 'any', doc: 'how the call must end' };
const SAVE: FieldRow = { type: 'name', doc: "keeps the answer's registers under this name" };
const HEX_ONE: FieldRow = { type: 'hex', doc: 'the bytes; or say `byte`' };
const BYTE: FieldRow = { type: 'integer', min: 0, max: 0xff, default: '0', doc: 'a byte, `count` times' };
const COUNT: FieldRow = { type: 'integer', min: 1, max: 0x100_0000, default: '1', doc: 'how many bytes, with `byte`' };
const OFFSET: FieldRow = { type: 'integer', min: 0, max: 0x3_ffff, default: '0', doc: 'offset in TX, in bytes' };
const ZERO: FieldRow = { type: 'boolean', default: 'false', doc: 'ask for the memory to be zeroed' };
const PERMISSIONS: FieldRow = {
  type: 'integer',
  min: 0,
  max: 0xff,
  default: 'what fits the kind',
  doc: 'permissions byte: [1:0] data (1 RO, 2 RW), [3:2] instructions (1 NX, 2 X)',
};

const SEND_FIELDS = {
  name: { type: 'name', required: true, doc: 'under which the region, its handle and its pages are kept' },
  to: { type: 'endpoints', required: true, doc: 'the borrower, or a list of them' },
  pages: { type: 'integer', min: 1, max: REGION_PAGES_MAX, default: '1', doc: "pages, from the guest's free RAM" },
  scattered: { type: 'boolean', default: 'false', doc: 'each page in a range of its own' },
  ranges: { type: 'ranges', doc: 'exactly these pages: {page, count} from the start of RAM, or {address, count}' },
  tag: { type: 'word', default: '0', doc: 'tag, 64 bits' },
  zero: ZERO,
  permissions: PERMISSIONS,
  attributes: { type: 'integer', min: 0, max: 0xffff, default: 'what fits the kind', doc: 'memory attributes' },
  wide: { type: 'boolean', default: 'false', doc: 'use the SMC64 form of the call' },
  fragmentBytes: { type: 'integer', min: 96, max: U32_MAX, default: 'TX', doc: 'most bytes of one fragment' },
  fragmentPauseNs: { type: 'duration', default: '0', doc: 'time between two fragments' },
  sender: { type: 'endpoint', default: 'itself', doc: 'sender in the descriptor: a lie' },
  expect: EXPECT,
} as const satisfies Readonly<Record<string, FieldRow>>;

/** The table. Order: as a reader meets them. */
export const GUEST_STEPS: StepTable = {
  version: {
    summary: 'FFA_VERSION, then FFA_ID_GET',
    bare: 'version',
    fields: {
      version: { type: 'version', default: "the guest's", doc: 'the version to ask for' },
      identify: { type: 'boolean', default: 'true', doc: 'also FFA_ID_GET' },
      expect: EXPECT,
    },
  },
  map: { summary: 'FFA_RXTX_MAP of its buffers', fields: { expect: EXPECT } },
  unmap: { summary: 'FFA_RXTX_UNMAP', fields: { expect: EXPECT } },
  features: {
    summary: 'FFA_FEATURES',
    bare: 'of',
    fields: {
      of: { type: 'word', required: true, doc: 'a function id (FFA_...), or a feature id (1 NPI, 2 SRI, 3 MEI)' },
      input: { type: 'word', default: '0', doc: 'w2 of the question' },
      properties: { type: 'word', doc: 'w2 that must be answered' },
      expect: EXPECT,
    },
  },
  discover: {
    summary: 'FFA_PARTITION_INFO_GET, or its form in registers',
    bare: 'by',
    fields: {
      by: { type: 'choice', choices: ['buffer', 'registers'], default: 'buffer', doc: 'which form' },
      uuid: { type: 'uuid', default: 'nil: all', doc: 'only those that speak this protocol' },
      countOnly: { type: 'boolean', default: 'false', doc: 'ask how many there are, and nothing else' },
      count: { type: 'integer', min: 0, max: 0xffff, doc: 'how many there must be' },
      includes: { type: 'endpoints', doc: 'who must be among them' },
      expect: EXPECT,
    },
  },
  share: { summary: 'FFA_MEM_SHARE', fields: SEND_FIELDS },
  lend: { summary: 'FFA_MEM_LEND', fields: SEND_FIELDS },
  donate: { summary: 'FFA_MEM_DONATE', fields: SEND_FIELDS },
  reclaim: {
    summary: 'FFA_MEM_RECLAIM',
    bare: 'name',
    fields: { name: { type: 'region', required: true, doc: 'the region' }, zero: ZERO, expect: EXPECT },
  },
  retrieve: {
    summary: 'FFA_MEM_RETRIEVE_REQ of what another guest sent',
    bare: 'name',
    fields: {
      name: { type: 'region', required: true, doc: 'the region, as `guest:name`' },
      zero: ZERO,
      permissions: PERMISSIONS,
      bypassOthers: { type: 'boolean', default: 'false', doc: 'name no other borrower' },
      expect: EXPECT,
    },
  },
  relinquish: {
    summary: 'FFA_MEM_RELINQUISH of what it retrieved',
    bare: 'name',
    fields: { name: { type: 'region', required: true, doc: 'the region' }, zero: ZERO, expect: EXPECT },
  },
  message: {
    summary: 'a direct request to a partition',
    fields: {
      to: { type: 'endpoint', required: true, doc: 'the receiver' },
      do: { type: 'choice', choices: Object.keys(PROTOCOL_OPERATIONS), doc: 'what an SP program is to do' },
      region: { type: 'region', doc: 'with `do`: the region that it is about' },
      durationNs: { type: 'duration', doc: 'with `do: dma` and `do: work`: for how long' },
      words: { type: 'words', doc: 'the payload; with `do`: the words that follow' },
      form: { type: 'choice', choices: ['req32', 'req64', 'req2'], default: 'req32', doc: 'which call carries it' },
      uuid: { type: 'uuid', default: 'nil', doc: 'with `req2`: the service' },
      reply: { type: 'words', doc: 'the payload that must come back' },
      save: SAVE,
      onInterrupt: {
        type: 'choice',
        choices: ['run', 'return'],
        default: 'run',
        doc: 'after FFA_INTERRUPT and FFA_YIELD: FFA_RUN until it answers, or end with them',
      },
      flags: { type: 'integer', min: 0, max: U32_MAX, default: '0', doc: 'w2: a lie when not 0' },
      sender: { type: 'endpoint', default: 'itself', doc: 'sender in w1: a lie' },
      expect: EXPECT,
    },
  },
  run: {
    summary: 'FFA_RUN, once',
    bare: 'to',
    fields: {
      to: { type: 'endpoint', required: true, doc: 'the partition' },
      vcpu: { type: 'integer', min: 0, max: 0xffff, default: '0', doc: 'its vCPU' },
      save: SAVE,
      expect: EXPECT,
    },
  },
  send: {
    summary: 'FFA_MSG_SEND2',
    fields: {
      to: { type: 'endpoint', required: true, doc: 'the receiver' },
      hex: { type: 'hex', required: true, doc: 'the payload' },
      uuid: { type: 'uuid', default: 'nil', doc: 'the protocol, from FF-A 1.2 on' },
      delaySri: { type: 'boolean', default: 'false', doc: 'delay the schedule receiver interrupt' },
      sender: { type: 'endpoint', default: 'itself', doc: 'sender in the header: a lie' },
      expect: EXPECT,
    },
  },
  receive: {
    summary: 'reads the message in RX, then FFA_RX_RELEASE',
    fields: {
      from: { type: 'endpoint', doc: 'who must have sent it' },
      hex: { type: 'hex', doc: 'the payload that must be there' },
      expect: EXPECT,
    },
  },
  bind: {
    summary: 'FFA_NOTIFICATION_BIND',
    fields: {
      from: { type: 'endpoint', required: true, doc: 'who may set the bits' },
      bits: { type: 'word', required: true, doc: 'the bits, as a 64-bit word' },
      perVcpu: { type: 'boolean', default: 'false', doc: 'per-vCPU notifications' },
      expect: EXPECT,
    },
  },
  unbind: {
    summary: 'FFA_NOTIFICATION_UNBIND',
    fields: {
      from: { type: 'endpoint', required: true, doc: 'who may set the bits' },
      bits: { type: 'word', required: true, doc: 'the bits, as a 64-bit word' },
      expect: EXPECT,
    },
  },
  notify: {
    summary: 'FFA_NOTIFICATION_SET',
    fields: {
      to: { type: 'endpoint', required: true, doc: 'the receiver' },
      bits: { type: 'word', required: true, doc: 'the bits, as a 64-bit word' },
      perVcpu: { type: 'boolean', default: 'false', doc: 'per-vCPU notifications' },
      vcpu: { type: 'integer', min: 0, max: 0xffff, default: '0', doc: "with `perVcpu`: the receiver's vCPU" },
      delaySri: { type: 'boolean', default: 'false', doc: 'delay the schedule receiver interrupt' },
      sender: { type: 'endpoint', default: 'itself', doc: 'sender: a lie' },
      expect: EXPECT,
    },
  },
  notifications: {
    summary: 'FFA_NOTIFICATION_GET',
    fields: {
      flags: { type: 'integer', min: 0, max: U32_MAX, default: '15', doc: '1 SPs, 2 VMs, 4 SPM, 8 hypervisor' },
      sp: { type: 'word', doc: 'bits from SPs that must be pending' },
      vm: { type: 'word', doc: 'bits from VMs that must be pending' },
      spm: { type: 'word', doc: 'bits from the SPM that must be pending' },
      hypervisor: { type: 'word', doc: 'bits from the hypervisor that must be pending' },
      save: SAVE,
      expect: EXPECT,
    },
  },
  'notification-info': {
    summary: 'FFA_NOTIFICATION_INFO_GET',
    fields: {
      wide: { type: 'boolean', default: 'false', doc: 'use the SMC64 form of the call' },
      includes: { type: 'endpoints', doc: 'who must be listed' },
      expect: EXPECT,
    },
  },
  write: {
    summary: 'writes its own memory',
    fields: {
      address: { type: 'word', required: true, doc: 'where: an address, or `$region.address`' },
      hex: HEX_ONE,
      byte: BYTE,
      count: COUNT,
      expect: EXPECT,
    },
  },
  read: {
    summary: 'reads its own memory and compares',
    fields: {
      address: { type: 'word', required: true, doc: 'where: an address, or `$region.address`' },
      hex: HEX_ONE,
      byte: BYTE,
      count: COUNT,
      expect: EXPECT,
    },
  },
  wait: {
    summary: 'lets time pass',
    bare: 'durationNs',
    fields: { durationNs: { type: 'duration', required: true, doc: 'how long' } },
  },
  set: {
    summary: 'sets a variable, for `until` on another vCPU',
    fields: {
      name: { type: 'name', required: true, doc: 'the variable' },
      value: { type: 'integer', required: true, doc: 'its value; 0 before it is set' },
    },
  },
  until: {
    summary: 'waits for a condition',
    bare: 'condition',
    fields: {
      condition: {
        type: 'condition',
        required: true,
        doc: '{variable, is}, {region, state}, {interrupt}, {time} or {address, byte}',
      },
      everyNs: { type: 'duration', default: '100 us', doc: 'how often it looks' },
      timeoutNs: { type: 'duration', default: '60 s', doc: 'gives up with TIMEOUT' },
      expect: EXPECT,
    },
  },
  call: {
    summary: 'any call: registers as they are',
    bare: 'registers',
    fields: {
      registers: { type: 'words', required: true, doc: 'x0, x1, ... (18 at most); the rest is zero' },
      save: SAVE,
      answer: { type: 'answer', doc: 'registers that must come back, from x0 on; null: any' },
      expect: EXPECT_ANY,
    },
  },
  tx: {
    summary: 'writes raw bytes into TX',
    bare: 'hex',
    fields: { offset: OFFSET, hex: { type: 'hex', required: true, doc: 'the bytes' }, expect: EXPECT },
  },
  'rewrite-tx': {
    summary: 'rewrites bytes of TX over and over while a sibling calls',
    fields: {
      offset: OFFSET,
      hex: { type: 'hexes', required: true, doc: 'contents, written in turn' },
      times: { type: 'integer', min: 1, max: REPEAT_TIMES_MAX, required: true, doc: 'how many writes' },
      everyNs: { type: 'duration', default: '1 us', doc: 'time between two writes; 0: others run in between' },
    },
  },
  repeat: {
    summary: 'does steps several times; `#` in a name is the number of the round',
    fields: {
      times: { type: 'integer', min: 1, max: REPEAT_TIMES_MAX, required: true, doc: 'how often' },
      steps: { type: 'steps', required: true, doc: 'the steps' },
    },
  },
  stop: { summary: "ends this vCPU's script", fields: {} },
  crash: { summary: 'the guest crashes', fields: {} },
};

/** The row of a kind, or undefined when there is no such kind. */
export function stepRow(kind: string): StepRow | undefined {
  return Object.hasOwn(GUEST_STEPS, kind) ? GUEST_STEPS[kind as GuestStepKind] : undefined;
}
