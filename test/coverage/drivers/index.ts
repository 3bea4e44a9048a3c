// Every driver.

import type { Driver } from '../driver.ts';
import { GUEST_MEMORY_DRIVERS } from './guest-memory.ts';
import { MESSAGE_DRIVERS } from './messages.ts';
import { NOTIFICATION_DRIVERS } from './notifications.ts';
import { SECURE_MEMORY_DRIVERS } from './secure-memory.ts';
import { SETUP_DRIVERS } from './setup.ts';

export const DRIVERS: readonly Driver[] = [
  ...SETUP_DRIVERS,
  ...MESSAGE_DRIVERS,
  ...GUEST_MEMORY_DRIVERS,
  ...SECURE_MEMORY_DRIVERS,
  ...NOTIFICATION_DRIVERS,
];
