// Messages to and from partitions, with something taken out of the hypervisor's part.

import { FFA_RUN, FFA_RX_RELEASE } from '../../../src/abi/function-ids.ts';
import { run } from '../../../src/hypervisor/direct-message.ts';
import { takeScheduleReceiver } from '../../../src/hypervisor/notifications.ts';
import { releaseRxBuffer } from '../../../src/hypervisor/rx-tx-buffers.ts';
import { handler, type Mutant, profile } from './mutant.ts';

/** Only VMs are told; no partition is given a PE. */
const runsNobody = profile({ scheduleReceiver: takeScheduleReceiver });
/** RX counts as the hypervisor's whenever it did not fill it itself. */
const knowsOnlyItself = handler(FFA_RX_RELEASE, () => releaseRxBuffer);
/** FFA_RUN goes out whatever the partition does. */
const reachesAnybody = handler(FFA_RUN, () => run);
const world = 'message-to-a-partition';

export const MESSAGE_MUTANTS: readonly Mutant[] = [
  { world, takesOut: 'running who is listed', fires: 'expect', parts: runsNobody },
  { world, takesOut: 'asking who filled RX', fires: 'expect', parts: knowsOnlyItself },
  { world: 'guest-runs-a-partition', takesOut: 'whom FFA_RUN reaches', fires: 'P11', parts: reachesAnybody },
];
