// scenario: world files. YAML in, plain descriptions out, and messages that say where a mistake is and what would fit.

export * from './field-docs.ts';
export * from './load-world.ts';
