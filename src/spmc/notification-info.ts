// FFA_NOTIFICATION_INFO_GET: the hypervisor asks which endpoints have notifications to fetch. The answer is lists: an
// endpoint's id, and up to three of its vCPUs that have some of their own; what does not fit is told the next time.

import { FFA_NO_DATA, FFA_NOT_SUPPORTED, FFA_OK } from '../abi/errors.ts';
import { FFA_SUCCESS_32, FFA_SUCCESS_64, isSmc64 } from '../abi/function-ids.ts';
import {
  INFO_GET_FIRST_LIST_SHIFT,
  INFO_GET_FIRST_REGISTER,
  INFO_GET_LIST_COUNT_SHIFT,
  INFO_GET_LIST_VCPU_COUNT_MASK,
  INFO_GET_MAX_IDS_32,
  INFO_GET_MAX_IDS_64,
  INFO_GET_MORE_PENDING,
} from '../abi/layout/notifications.ts';
import type { RegisterFile } from '../hardware/registers.ts';
import type { Result } from './answers.ts';
import type { Endpoint } from './endpoint.ts';
import type { Spmc } from './spmc.ts';

/** vCPUs in one list. */
const LIST_VCPU_COUNT_MAX = INFO_GET_LIST_VCPU_COUNT_MASK;

/** The lists of one answer, as they are put together. */
class Lists {
  private readonly r: RegisterFile;
  private readonly most: number;
  private readonly idsPerRegister: number;
  private idCount = 0;
  listCount = 0;
  /** vCPUs in the last list. */
  private vcpuCount = 0;

  constructor(r: RegisterFile, wide: boolean) {
    this.r = r;
    this.most = wide ? INFO_GET_MAX_IDS_64 : INFO_GET_MAX_IDS_32;
    this.idsPerRegister = wide ? 4 : 2;
  }

  hasRoom(idCount: number): boolean {
    return this.idCount + idCount <= this.most;
  }

  /** Whether the last list takes one more vCPU. */
  get open(): boolean {
    return this.vcpuCount < LIST_VCPU_COUNT_MAX && this.hasRoom(1);
  }

  begin(endpoint: number): void {
    this.put(endpoint);
    this.listCount++;
    this.vcpuCount = 0;
  }

  addVcpu(vcpu: number): void {
    this.put(vcpu);
    this.vcpuCount++;
    // Two bits a list from bit 12 of x2 on; those of the later lists lie in its upper half.
    const at = INFO_GET_FIRST_LIST_SHIFT + 2 * (this.listCount - 1);
    const word = 2 * 2 + (at >> 5);
    const shift = at & 31;
    this.r.words[word] = (this.r.words[word] & ~(INFO_GET_LIST_VCPU_COUNT_MASK << shift)) | (this.vcpuCount << shift);
  }

  private put(id: number): void {
    const register = INFO_GET_FIRST_REGISTER + Math.floor(this.idCount / this.idsPerRegister);
    const part = this.idCount % this.idsPerRegister;
    this.r.words[2 * register + (part >> 1)] |= id << (16 * (part & 1));
    this.idCount++;
  }
}

export function getNotificationInfo(spmc: Spmc, caller: Endpoint, r: RegisterFile): Result {
  if (caller.secure) return FFA_NOT_SUPPORTED;
  spmc.scheduleReceiver.handled();
  const wide = isSmc64(r.w(0));
  if (!wide && !spmc.personality.narrowForms) return FFA_NOT_SUPPORTED;
  const { unreported } = spmc;
  r.clear();
  const lists = new Lists(r, wide);
  const told: Endpoint[] = [];
  let endpoint = unreported.peek();
  while (endpoint !== undefined && tell(endpoint, lists, unreported.level)) {
    unreported.next();
    if (unreported.level) told.push(endpoint);
    endpoint = unreported.peek();
  }
  // What is still pending is told again, after those that there was no room for.
  for (const again of told) unreported.add(again);
  if (lists.listCount === 0) return FFA_NO_DATA;
  r.setW(0, wide ? FFA_SUCCESS_64 : FFA_SUCCESS_32);
  const more = endpoint === undefined ? 0 : INFO_GET_MORE_PENDING;
  r.words[4] |= (lists.listCount << INFO_GET_LIST_COUNT_SHIFT) | more;
  return FFA_OK;
}

/** Writes what there is to tell of the endpoint; false when not all of it fits. */
function tell(endpoint: Endpoint, lists: Lists, level: boolean): boolean {
  const { id, notifications } = endpoint;
  let begun = false;
  if (notifications.tellsEndpoint(level)) {
    if (!lists.hasRoom(1)) return false;
    lists.begin(id);
    begun = true;
    notifications.reportEndpoint();
  }
  for (let vcpu = 0; vcpu < notifications.toldVcpuCount; vcpu++) {
    if (!notifications.tellsVcpu(vcpu, level)) continue;
    if (!begun || !lists.open) {
      if (!lists.hasRoom(2)) return false;
      lists.begin(id);
      begun = true;
    }
    lists.addVcpu(vcpu);
    notifications.reportVcpu(vcpu);
  }
  return true;
}
