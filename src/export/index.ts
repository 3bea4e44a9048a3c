// export: a run or a descriptor as something to look at: text with style marks, JSON Lines, a trace for Perfetto, a
// Mermaid diagram, maps of who holds which pages. Pure: events and names in, text out. Nothing here decides anything.

export * from './actor-names.ts';
export * from './byte-map.ts';
export * from './call-text.ts';
export * from './event-file.ts';
export * from './event-source.ts';
export * from './event-text.ts';
export * from './event-words.ts';
export * from './field-labels.ts';
export * from './field-tree.ts';
export * from './mermaid.ts';
export * from './ownership-map.ts';
export * from './perfetto.ts';
export * from './styled-text.ts';
export * from './time-text.ts';
export * from './where-pages-went.ts';
