// conform: replays what the real mediator and the real SPMC did, as it was recorded, on ours, and compares. Pure: its
// input is the text of vector files, line by line.

export * from './file-replay.ts';
export * from './recorded-file.ts';
export * from './session-replay.ts';
export * from './spmc/spmc-file.ts';
export * from './vector-reader.ts';
