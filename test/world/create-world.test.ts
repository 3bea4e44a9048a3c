import { describe, expect, test } from 'vitest';
import { UserError } from '../../src/base/user-error.ts';
import { must } from '../../src/partitions/call-result.ts';
import { service } from '../../src/partitions/service.ts';
import { loadWorld } from '../../src/scenario/load-world.ts';
import { createWorld, describeWorld } from '../../src/world/create-world.ts';

test('the defaults are those of world files', () => {
  const file = `
partitions:
  - {name: crypto, id: 0x8001, program: echo}
guests:
  - {name: g1}
timeline:
  - {at: 1s, destroy: g1}
expect:
  - pages: back
`;
  const { description, programs } = describeWorld({
    name: 'file',
    partitions: [{ name: 'crypto', program: 'echo' }],
    guests: [{ name: 'g1' }],
    timeline: [{ atNs: 1e9, do: 'destroy', guest: 'g1' }],
    expectations: [{ kind: 'pages-back' }],
  });
  expect(programs.size).toBe(0);
  expect(JSON.parse(JSON.stringify(description))).toEqual(
    JSON.parse(JSON.stringify({ ...loadWorld(file, 'file.yaml') })),
  );
});

test('a task, tasks, a script and a service are programs', () => {
  const lines: string[] = [];
  const world = createWorld({
    partitions: [{ name: 'twice', program: service({ message: (_ffa, { words: [n] }) => [2 * n] }) }],
    guests: [
      {
        name: 'one',
        *task(ffa) {
          must(yield* ffa.version());
          lines.push(`one: ${must(yield* ffa.request(0x8001, [4])).words[0]}`);
        },
      },
      {
        name: 'two',
        tasks: [
          function* (ffa) {
            must(yield* ffa.version());
          },
          function* (ffa) {
            yield* ffa.wait(1e6);
            lines.push(`two: vCPU ${ffa.vcpu} of VM ${ffa.id}`);
          },
        ],
      },
      { name: 'three', script: [{ step: 'version' }, { step: 'message', to: 'twice', words: [1], reply: [2] }] },
    ],
    expectations: [{ kind: 'scripts' }],
  });
  const { expectations, violations } = world.run();
  expect(violations).toEqual([]);
  expect(expectations).toMatchObject([{ held: true }]);
  expect(lines).toEqual(['one: 8', 'two: vCPU 1 of VM 3']);
});

test('a run is the same twice', () => {
  const digest = () => {
    const world = createWorld({
      partitions: [{ name: 'crypto', program: 'holder' }],
      guests: [
        {
          name: 'g1',
          *task(ffa) {
            must(yield* ffa.probe());
            must(yield* ffa.share({ to: 0x8001 }));
          },
        },
      ],
      timeline: [{ atNs: 1e9, do: 'destroy', guest: 'g1' }],
    });
    world.run();
    return world.machine.events.digest();
  };
  expect(digest()).toBe(digest());
});

describe('what cannot work', () => {
  test.each([
    ['a name twice', { partitions: [{ name: 'a', program: 'echo' }], guests: [{ name: 'a' }] }, "two of the name 'a'"],
    [
      'a guest that is told twice',
      { guests: [{ name: 'g1', script: [], task: function* () {} }] },
      'guest g1 is told twice what to do; one of task, tasks, script, vcpus and program',
    ],
    [
      'a timeline about nobody',
      { guests: [{ name: 'g1', count: 2 }], timeline: [{ atNs: 0, do: 'destroy' as const, guest: 'g2' }] },
      "timeline: there is no guest 'g2'; g1",
    ],
  ])('%s', (_name, input, message) => {
    const make = () => describeWorld(input);
    expect(make).toThrow(UserError);
    expect(make).toThrow(message);
  });

  test('one of many guests may be named', () => {
    const timeline = [{ atNs: 0, do: 'destroy' as const, guest: 'g1-1' }];
    expect(() => describeWorld({ guests: [{ name: 'g1', count: 2 }], timeline })).not.toThrow();
  });
});

test('a task that has begun cannot be noted and put back; a script and a partition that waits can', () => {
  const world = createWorld({
    partitions: [{ name: 'crypto', program: 'holder' }],
    guests: [
      {
        name: 'task',
        *task(ffa) {
          yield* ffa.wait(1e9);
        },
      },
      { name: 'script', script: [{ step: 'version' }, { step: 'wait', durationNs: 1e9 }] },
      {
        name: 'yielded',
        script: [
          { step: 'version' },
          { step: 'wait', durationNs: 2e6 },
          { step: 'message', to: 'crypto', do: 'yield', words: [1], onInterrupt: 'return', expect: 'YIELD' },
          { step: 'wait', durationNs: 1e9 },
        ],
      },
    ],
  });
  const resumable = () => [...world.scheduler.all()].map((task) => `${task.name} ${world.resumable(task)}`);
  world.begin();
  world.runBefore(1e6);
  expect(resumable()).toEqual(['task.0 false', 'script.0 true', 'yielded.0 true']);
  // crypto is in the middle of a message now.
  world.runBefore(3e6);
  expect(resumable()).toEqual(['task.0 false', 'script.0 false', 'yielded.0 false']);
});
