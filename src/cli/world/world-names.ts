// Who is who in a world that has run, for pictures.

import type { ActorNames } from '../../export/actor-names.ts';
import { OWN_CALL_NAMES, REPLY_CLASS_NAMES } from '../../hypervisor/answer-table.ts';
import { RETIRE_REASONS } from '../../hypervisor/owed.ts';
import { QUARANTINE_REASONS } from '../../hypervisor/quarantine.ts';
import { TIMES_ALL } from '../../world/description.ts';
import type { World } from '../../world/world.ts';

export function worldNames(world: World): ActorNames {
  const { description } = world;
  const lived = world.guests.filter((guest) => guest.vmId !== 0);
  return {
    vms: lived.map(({ name, vmId }) => ({ id: vmId, name })),
    sps: description.partitions.map(({ id, name }) => ({ id, name })),
    owners: lived.flatMap(({ domain, name }) => (domain === null ? [] : [{ id: domain.serial, name }])),
    texts: {
      'story.line': world.story,
      'fault.fault': [
        ...description.faults.map(
          ({ answer, call, times }) => `${call} is answered ${answer}${times === TIMES_ALL ? ', always' : ''}`,
        ),
        ...(description.explore?.faults ?? []).map(({ answer, call }) => `${call} is answered ${answer}`),
      ],
      'quarantine.reason': QUARANTINE_REASONS.map((reason) => reason.replaceAll('-', ' ')),
      'quarantine-release.how': ['reclaimed', 'written off'],
      'vm-id-retired.reason': RETIRE_REASONS,
      'answer-class.call': OWN_CALL_NAMES,
      'answer-class.class': REPLY_CLASS_NAMES,
      'expectation.expectation': world.expectationOutcomes.map(({ text }) => text),
      'violation.violation': (world.oracle?.violations ?? []).map(({ anomaly, property }) => `${property}: ${anomaly}`),
      'timer-arm.timer': world.machine.time.timerNames,
    },
  };
}
