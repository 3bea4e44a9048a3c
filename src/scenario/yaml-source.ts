// A YAML text with the place of every value and of every key in it.

import { type Document, isMap, isScalar, LineCounter, type Node, parseDocument } from 'yaml';
import { type Place, UserError } from '../base/user-error.ts';
import type { Path } from './step-reader.ts';

/** Aliases that a file may resolve: more is an attack on memory. */
const ALIASES_MAX = 1000;

export class YamlSource {
  readonly value: unknown;
  private readonly document: Document.Parsed;
  private readonly lines = new LineCounter();
  private readonly file: string;

  /** A text that is no YAML is a UserError. */
  constructor(text: string, file: string) {
    this.file = file;
    this.document = parseDocument(text, { lineCounter: this.lines, prettyErrors: false });
    const [error] = this.document.errors;
    if (error !== undefined) {
      throw new UserError(`this is not YAML: ${firstLine(error.message)}`, this.placeAt(error.pos[0]), null);
    }
    try {
      this.value = this.document.toJS({ maxAliasCount: ALIASES_MAX });
    } catch (error) {
      throw new UserError(`this YAML cannot be read: ${firstLine((error as Error).message)}`, this.placeAt(0), null);
    }
  }

  /** Whether there is a value, if only null, at the path. */
  has(path: Path): boolean {
    return this.document.hasIn(path);
  }

  /** Where the value is; where the nearest thing around it is, when there is none. */
  placeOf(path: Path): Place {
    for (let length = path.length; length > 0; length--) {
      const node = this.document.getIn(path.slice(0, length), true) as Node | undefined;
      if (node?.range !== undefined && node.range !== null) return this.placeAt(node.range[0]);
    }
    return this.placeAt(this.document.contents?.range?.[0] ?? 0);
  }

  /** Where the last key of the path is. */
  placeOfKey(path: Path): Place {
    const key = path[path.length - 1];
    const parent = path.length === 1 ? this.document.contents : this.document.getIn(path.slice(0, -1), true);
    if (isMap(parent)) {
      for (const { key: node } of parent.items) {
        if (isScalar(node) && String(node.value) === String(key) && node.range) return this.placeAt(node.range[0]);
      }
    }
    return this.placeOf(path);
  }

  private placeAt(offset: number): Place {
    const { line, col } = this.lines.linePos(offset);
    return { file: this.file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0].replace(/:$/, '');
}
