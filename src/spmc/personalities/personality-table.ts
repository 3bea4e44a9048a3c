// The personalities by name.

import type { Personality } from '../personality.ts';
import { HAFNIUM_PERSONALITY } from './hafnium.ts';
import { OPTEE_PERSONALITY } from './optee.ts';
import { TFA_EL3_PERSONALITY } from './tfa-el3.ts';

export const PERSONALITIES: ReadonlyMap<string, Personality> = new Map(
  [HAFNIUM_PERSONALITY, TFA_EL3_PERSONALITY, OPTEE_PERSONALITY].map((personality) => [personality.name, personality]),
);
