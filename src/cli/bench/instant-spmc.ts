// An SPMC that answers at once and keeps nothing: what is measured over it is the hypervisor alone.

import {
  FFA_FEATURES,
  FFA_MEM_SHARE_32,
  FFA_MEM_SHARE_64,
  FFA_MSG_SEND_DIRECT_REQ_32,
  FFA_MSG_SEND_DIRECT_RESP_32,
  FFA_PARTITION_INFO_GET,
  FFA_RXTX_MAP_64,
  FFA_SUCCESS_32,
  FFA_VERSION,
} from '../../abi/function-ids.ts';
import { DIRECT_FRAMEWORK_BIT } from '../../abi/layout/messages.ts';
import {
  PARTITION_INFO_1_1_SIZE_BYTES,
  PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET,
  PARTITION_INFO_ID_OFFSET,
  PARTITION_INFO_PROPERTIES_OFFSET,
} from '../../abi/layout/partition-information.ts';
import { FFA_VERSION_1_2 } from '../../abi/versions.ts';
import type { Pending } from '../../base/coroutine.ts';
import type { Conduit } from '../../hardware/conduit.ts';
import type { FrameContents } from '../../hardware/frame-contents.ts';
import type { Pe } from '../../hardware/pe.ts';

const FIRST_PARTITION = 0x8001;
/** Receives and sends direct requests, AArch64. */
const PROPERTIES = 0x103;

export class InstantSpmc implements Conduit {
  private readonly contents: FrameContents;
  private readonly partitionCount: number;
  private rxAddress = 0;
  private handles = 0;
  /** Answer every reclaim with FFA_ERROR DENIED: the guest becomes a zombie. */
  refuseReclaim: number | null = null;

  constructor(contents: FrameContents, partitionCount: number) {
    this.contents = contents;
    this.partitionCount = partitionCount;
  }

  smc(pe: Pe): Pending {
    const { smc } = pe;
    switch (smc.w(0)) {
      case FFA_VERSION:
        smc.set8(FFA_VERSION_1_2);
        return null;
      case FFA_FEATURES:
        smc.set8(FFA_SUCCESS_32);
        return null;
      case FFA_RXTX_MAP_64:
        if (smc.x(2) !== 0) this.rxAddress = smc.x(2);
        smc.set8(FFA_SUCCESS_32);
        return null;
      case FFA_PARTITION_INFO_GET:
        this.list();
        smc.set8(FFA_SUCCESS_32, 0, this.partitionCount, PARTITION_INFO_1_1_SIZE_BYTES);
        return null;
      case FFA_MEM_SHARE_32:
      case FFA_MEM_SHARE_64:
        smc.set4(FFA_SUCCESS_32, 0, ++this.handles, 0);
        return null;
      case FFA_MSG_SEND_DIRECT_REQ_32: {
        const ids = smc.w(1);
        const framework = smc.w(2) & DIRECT_FRAMEWORK_BIT;
        const w2 = framework === 0 ? 0 : smc.w(2) + 1;
        smc.set8(FFA_MSG_SEND_DIRECT_RESP_32, ((ids << 16) | (ids >>> 16)) >>> 0, w2, 0, 1, 2, 3, 4);
        return null;
      }
      default:
        if (this.refuseReclaim === smc.w(0)) smc.set8(0x8400_0060, 0, -6);
        else smc.set4(FFA_SUCCESS_32, 0, 0, 0);
        return null;
    }
  }

  private list(): void {
    const bytes = new Uint8Array(this.partitionCount * PARTITION_INFO_1_1_SIZE_BYTES);
    const view = new DataView(bytes.buffer);
    for (let n = 0; n < this.partitionCount; n++) {
      const at = n * PARTITION_INFO_1_1_SIZE_BYTES;
      view.setUint16(at + PARTITION_INFO_ID_OFFSET, FIRST_PARTITION + n, true);
      view.setUint16(at + PARTITION_INFO_EXECUTION_CONTEXTS_OFFSET, 1, true);
      view.setUint32(at + PARTITION_INFO_PROPERTIES_OFFSET, PROPERTIES, true);
    }
    this.contents.write(this.rxAddress, bytes, 0, bytes.length);
  }
}
