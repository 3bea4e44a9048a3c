// Sessions in which the recorded mediator crashed: they pass only if nothing throws here and the oracle finds nothing.

import { describe, expect, it } from 'vitest';
import type { Coroutine } from '../../src/base/coroutine.ts';
import type { FrameNumber } from '../../src/base/units.ts';
import { FileReplay } from '../../src/conform/file-replay.ts';
import type { Hypervisor } from '../../src/hypervisor/hypervisor.ts';
import type { Profile } from '../../src/hypervisor/profile.ts';
import { XEN_2024 } from '../../src/hypervisor/profiles/xen-2024.ts';
import { vectorLines, vectorSession } from './vector-files.ts';

const CRASHED = { file: 'xen-2024.lifecycle', session: 'kill-both-ok-retry' };

function replayOn(profile: Profile): FileReplay {
  const { header, steps } = vectorSession(CRASHED.file, CRASHED.session);
  const replay = new FileReplay('crashed', { profile });
  replay.line(header, 1);
  replay.line(JSON.stringify({ name: CRASHED.session, steps }), 2);
  return replay;
}

function* nothing(): Coroutine {}

/** The profile, with something else done when a timer of it fires. */
function withTimer(work: (hypervisor: Hypervisor) => void): Profile {
  return {
    ...XEN_2024,
    lifecycle: (hypervisor) => {
      const lifecycle = XEN_2024.lifecycle(hypervisor);
      lifecycle.timerFired = (firing) => {
        work(firing);
        return nothing();
      };
      return lifecycle;
    },
  };
}

describe('sessions that ended in a crash', () => {
  it('are 38, all of the first generation', () => {
    const crashed = (name: string) => vectorLines(name).filter((line) => line.includes('"crash":true')).length;
    expect(crashed('xen-2024.calls')).toBe(27);
    expect(crashed('xen-2024.lifecycle')).toBe(9);
    expect(crashed('xen-2024.share')).toBe(2);
  });

  it('pass here', () => {
    expect(replayOn(XEN_2024).passed).toBe(1);
  });

  it('fail when something throws', () => {
    const replay = replayOn(
      withTimer(() => {
        throw new Error('fell over');
      }),
    );
    expect(replay.failures[0]).toMatchObject({ operation: 'advance', expected: 'threw: nothing thrown' });
    expect(replay.failures[0].got).toMatch(/^threw: Error: .*fell over/);
  });

  it('fail when the oracle finds something', () => {
    let frame: FrameNumber = -1;
    const replay = replayOn(
      withTimer(({ machine }) => {
        frame = machine.frames.allocate(1, 1);
        machine.frames.getRange(frame, 1, 1);
      }),
    );
    expect(frame).toBeGreaterThan(0);
    expect(replay.failures).toHaveLength(1);
    expect(replay.failures[0]).toMatchObject({ operation: 'oracle', expected: 'P4: P1 to P5 hold' });
    expect(replay.failures[0].got).toMatch(/^P4: page of a domain that is gone gets a reference/);
  });
});
