// One machine: memory, time, the event log, the choice stack, and numbers for locks. Every component of a world stands
// on the same one.

import type { Access, TouchKind } from '../base/announcement.ts';
import { ChoiceStack } from '../base/choice-stack.ts';
import { EventLog } from '../base/event-log.ts';
import type { FrameNumber } from '../base/units.ts';
import type { FrameContents } from './frame-contents.ts';
import { FrameTable } from './frames.ts';
import { Lock } from './lock.ts';
import { VirtualTime } from './time.ts';

export interface MachineOptions {
  readonly firstFrame: FrameNumber;
  readonly frameCount: number;
  /** Whether freed frames are handed out again (default true). */
  readonly reuseFrames?: boolean;
  /** What is in the frames, when somebody else keeps it too. */
  readonly contents?: FrameContents | undefined;
}

/** Told of what a step touches beside what its events and accesses to memory show: an explorer. */
export interface TouchSink {
  touch(kind: TouchKind, id: number, access: Access): void;
}

export class Machine {
  readonly events = new EventLog();
  readonly time = new VirtualTime(this.events);
  readonly choices = new ChoiceStack();
  readonly frames: FrameTable;
  /** Null in a plain run. */
  touches: TouchSink | null = null;
  private lockCount = 0;

  constructor(options: MachineOptions) {
    this.frames = new FrameTable(this.events, {
      firstFrame: options.firstFrame,
      count: options.frameCount,
      reuse: options.reuseFrames ?? true,
      contents: options.contents,
    });
  }

  lock(rank: number): Lock {
    return new Lock(++this.lockCount, rank, this.events);
  }
}
