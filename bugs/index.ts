// The museum: every bug, chapter by chapter.

import type { Bug } from './bug.ts';
import { OWN } from './own.ts';
import { SECURE_WORLD } from './secure-world.ts';
import { XEN_BUFFERS } from './xen-buffers.ts';
import { XEN_MEMORY } from './xen-memory.ts';
import { XEN_MESSAGES } from './xen-messages.ts';
import { XEN_TEARDOWN } from './xen-teardown.ts';

export const BUGS: readonly Bug[] = [
  ...XEN_TEARDOWN,
  ...XEN_BUFFERS,
  ...XEN_MEMORY,
  ...XEN_MESSAGES,
  ...SECURE_WORLD,
  ...OWN,
];
