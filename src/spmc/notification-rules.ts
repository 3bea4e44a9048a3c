// How an SPMC keeps notifications where SPMCs differ: data of a personality.

import { FFA_INVALID_PARAMETERS, type FfaErrorCode } from '../abi/errors.ts';

export interface NotificationRules {
  /** Whether a notification may be bound for each vCPU of its receiver. */
  readonly perVcpu: boolean;
  /** FFA_NOTIFICATION_BIND for each vCPU, where there is no such thing. */
  readonly perVcpuError: FfaErrorCode;
  /**
   * What FFA_NOTIFICATION_INFO_GET tells of: `edge`: what became pending since it was told of last; `level`: all that
   * is pending, each time.
   */
  readonly reporting: 'edge' | 'level';
}

/** Hafnium's: global notifications only, each told of once [Hafnium notifications.c]. */
export const HAFNIUM_NOTIFICATIONS: NotificationRules = {
  perVcpu: false,
  perVcpuError: FFA_INVALID_PARAMETERS,
  reporting: 'edge',
};
