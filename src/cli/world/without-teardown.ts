// The default profile with its teardown taken out: what a hypervisor does that forgets, at a guest's end, that somebody
// else has its memory. For contrast only.

import { TOUCH_DOMAIN } from '../../base/announcement.ts';
import type { Coroutine } from '../../base/coroutine.ts';
import type { Pe } from '../../hardware/pe.ts';
import type { Domain } from '../../hypervisor/domain.ts';
import type { Hypervisor } from '../../hypervisor/hypervisor.ts';
import type { Profile } from '../../hypervisor/profile.ts';
import { FFABRIC } from '../../hypervisor/profiles/ffabric.ts';
import { RecordLifecycle } from '../../hypervisor/record-lifecycle.ts';

class NoTeardown extends RecordLifecycle {
  override *domainTeardown(hypervisor: Hypervisor, pe: Pe, domain: Domain): Coroutine {
    const context = domain.ffa;
    if (context === null) return;
    if (pe.stepping) yield pe.writes(TOUCH_DOMAIN, domain.serial);
    const { frames } = hypervisor.machine;
    hypervisor.vmList.leave(context);
    domain.ffa = null;
    for (const { runCount, runs } of context.shares) {
      for (let n = 0; n < runCount; n++) frames.putRange(runs[2 * n], runs[2 * n + 1]);
    }
    if (context.shareCount > 0) hypervisor.domains.put(domain);
    if (!context.buffersMapped) return;
    frames.putRange(context.txFrame, 1);
    frames.putRange(context.rxFrame, 1);
  }
}

export const WITHOUT_TEARDOWN: Profile = {
  ...FFABRIC,
  name: 'without-teardown',
  summary: 'the default profile with its teardown taken out',
  lifecycle: (hypervisor) => new NoTeardown(hypervisor),
};
