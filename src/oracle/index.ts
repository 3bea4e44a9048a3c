// oracle: the judge of a run. A page-owner model fed by events and by looking at hardware, and the properties P1 to P19
// that it is judged by. Entry: `Oracle` (oracle.ts); the properties' own words: `PropertyInfo` (property.ts).

export * from './model/transaction.ts';
export * from './options.ts';
export * from './oracle.ts';
export type { PropertyInfo } from './property.ts';
export * from './violation.ts';
