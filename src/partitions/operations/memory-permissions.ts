// FFA_MEM_PERM_GET and FFA_MEM_PERM_SET, SMC64 form: what an SP's own pages allow, asked and changed while it starts.
// [Hafnium api.c], [OP-TEE spmc_sp_handler.c]

import { FFA_MEM_PERM_GET_64, FFA_MEM_PERM_SET_64, FFA_SUCCESS_32, FFA_SUCCESS_64 } from '../../abi/function-ids.ts';
import {
  decodeMemoryPermissions,
  encodeMemoryPermissions,
  type MemoryPermissions,
} from '../../abi/memory-permissions.ts';
import type { Ipa } from '../../base/units.ts';
import type { CallContext, Caller, CallStep, Operation } from '../caller.ts';
import { OUTCOME_MALFORMED, OUTCOME_SUCCESS, OUTCOME_UNEXPECTED } from '../outcome.ts';

function isSuccess(context: CallContext): boolean {
  return context.registers.w(0) === FFA_SUCCESS_32 || context.registers.w(0) === FFA_SUCCESS_64;
}

/** What the page at `address` allows. */
export class GetMemoryPermissions implements Operation {
  permissions: MemoryPermissions = { data: 'none', isExecutable: false };
  private readonly address: Ipa;

  constructor(address: Ipa) {
    this.address = address;
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    registers.clear();
    registers.setW(0, FFA_MEM_PERM_GET_64);
    registers.setX(1, this.address);
    return caller.made(context);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    if (!isSuccess(context)) return caller.finish(OUTCOME_UNEXPECTED);
    const permissions = decodeMemoryPermissions(context.registers.w(2));
    if (permissions === undefined) return caller.finish(OUTCOME_MALFORMED);
    this.permissions = permissions;
    return caller.finish(OUTCOME_SUCCESS);
  }
}

/** Changes what `pageCount` pages from `address` allow. */
export class SetMemoryPermissions implements Operation {
  private readonly address: Ipa;
  private readonly pageCount: number;
  private readonly bits: number;

  /** `permissions`: what they say, or the three bits themselves (which may be wrong). */
  constructor(address: Ipa, pageCount: number, permissions: MemoryPermissions | number) {
    this.address = address;
    this.pageCount = pageCount;
    this.bits = typeof permissions === 'number' ? permissions : encodeMemoryPermissions(permissions);
  }

  start(caller: Caller, context: CallContext): CallStep {
    const { registers } = context;
    registers.clear();
    registers.setW(0, FFA_MEM_PERM_SET_64);
    registers.setX(1, this.address);
    registers.setW(2, this.pageCount);
    registers.setW(3, this.bits);
    return caller.made(context);
  }

  answered(caller: Caller, context: CallContext): CallStep {
    return caller.finish(isSuccess(context) ? OUTCOME_SUCCESS : OUTCOME_UNEXPECTED);
  }
}
