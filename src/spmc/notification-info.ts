// FFA_NOTIFICATION_INFO_GET: the hypervisor asks which endpoints have notifications to fetch. Each is named once for
// what is pending; what becomes pending later is told of again.

import { FFA_NO_DATA, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_SUCCESS_32, FFA_SUCCESS_64, isSmc64 } from '../abi/function-ids.ts';
import {
  INFO_GET_FIRST_REGISTER,
  INFO_GET_LIST_COUNT_SHIFT,
  INFO_GET_MAX_IDS_32,
  INFO_GET_MAX_IDS_64,
  INFO_GET_MORE_PENDING,
} from '../abi/layout/notifications.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import type { Spmc } from './spmc.ts';

export function getNotificationInfo(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  if (caller.secure) return FFA_NOT_SUPPORTED;
  spmc.scheduleReceiver.handled();
  const wide = isSmc64(r.w(0));
  const most = wide ? INFO_GET_MAX_IDS_64 : INFO_GET_MAX_IDS_32;
  const idsPerRegister = wide ? 4 : 2;
  r.clear();
  let count = 0;
  while (count < most) {
    const endpoint = spmc.nextUnreported();
    if (endpoint === undefined) break;
    endpoint.notifications.report();
    const register = INFO_GET_FIRST_REGISTER + Math.floor(count / idsPerRegister);
    const half = count % idsPerRegister;
    const at = 2 * register + (half >> 1);
    r.words[at] |= endpoint.id << (16 * (half & 1));
    count++;
  }
  if (count === 0) return FFA_NO_DATA;
  r.setW(0, wide ? FFA_SUCCESS_64 : FFA_SUCCESS_32);
  // A list of a global notification has no vCPU ids after its endpoint's: its two bits are zero.
  r.setW(2, (count << INFO_GET_LIST_COUNT_SHIFT) | (spmc.hasUnreported() ? INFO_GET_MORE_PENDING : 0));
  return FFA_OK;
}
