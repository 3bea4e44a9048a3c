// Reads the properties of one manifest node, collects every fault, and knows which properties nobody asked for.

import { TWO_POW_32 } from '../base/units.ts';
import type { DeviceTreeNode, DeviceTreeProperty } from './device-tree.ts';
import { childOf, propertyOf, readCells, readText, readTexts } from './device-tree-values.ts';
import type { Fault } from './fault.ts';

/** What can be wrong in a manifest. */
export type ManifestFaultKind =
  | 'missing'
  | 'compatible'
  | 'type'
  | 'range'
  | 'alignment'
  | 'conflict'
  | 'duplicate'
  | 'overlap'
  | 'reference';

export type ManifestFault = Fault<ManifestFaultKind>;

/** Properties that any node may have. */
const COMMON_PROPERTIES = ['compatible', 'phandle', 'linux,phandle', 'debug_name'];

/** What all nodes of one manifest report to. */
export class ManifestReport {
  readonly faults: ManifestFault[] = [];
  /** Paths of properties and nodes that the binding does not know. */
  readonly unknown: string[] = [];
}

export class ManifestProperties {
  readonly node: DeviceTreeNode;
  readonly path: string;
  private readonly report: ManifestReport;
  private readonly asked = new Set<string>(COMMON_PROPERTIES);
  private readonly entered = new Set<string>();

  constructor(node: DeviceTreeNode, path: string, report: ManifestReport) {
    this.node = node;
    this.path = path;
    this.report = report;
  }

  /** A whole number of one or two cells, at most `max`; `fallback` if the property is absent or wrong. */
  number<T>(name: string, max: number, fallback: T, min = 0): number | T {
    const property = this.find(name);
    if (property === undefined) return fallback;
    const cells = readCells(property.value);
    if (cells === undefined || cells.length === 0 || cells.length > 2) {
      this.fail('type', name, `${property.value.length} bytes`, 'must be one number in one or two cells');
      return fallback;
    }
    const value = cells.length === 1 ? cells[0] : cells[0] * TWO_POW_32 + cells[1];
    if (value < min || value > max) {
      this.fail('range', name, show(value), `must be ${show(min)} to ${show(max)}`);
      return fallback;
    }
    return value;
  }

  /** The same, but the property must be there; 0 if it is not. */
  requiredNumber(name: string, max: number, min = 0): number {
    if (propertyOf(this.node, name) === undefined) this.missing(name);
    return this.number(name, max, 0, min);
  }

  /** One of `names` by its number. */
  choice<T extends string | number, U>(name: string, names: readonly T[], fallback: U): T | U {
    const property = this.find(name);
    if (property === undefined) return fallback;
    const value = this.number(name, 0xffffffff, -1);
    if (value < 0) return fallback;
    if (value < names.length) return names[value];
    const rule = `must be ${names.map((one, n) => `${n} (${one})`).join(', ')}`;
    this.fail('range', name, show(value), rule);
    return fallback;
  }

  /** True if the property is there; it must have no value. */
  flag(name: string): boolean {
    const property = this.find(name);
    if (property === undefined) return false;
    if (property.value.length > 0) this.fail('type', name, `${property.value.length} bytes`, 'must have no value');
    return true;
  }

  text(name: string): string | undefined {
    const property = this.find(name);
    if (property === undefined) return undefined;
    const text = readText(property.value);
    if (text === undefined) this.fail('type', name, `${property.value.length} bytes`, 'must be one string');
    return text;
  }

  /** Cells in groups of `group`; none if the property is absent or wrong. */
  cells(name: string, group: number, max: number): number[] {
    const property = this.find(name);
    if (property === undefined) return [];
    const cells = readCells(property.value);
    if (cells === undefined || cells.length === 0 || cells.length % group !== 0) {
      const rule = group === 1 ? 'must be cells' : `must be cells in groups of ${group}`;
      this.fail('type', name, `${property.value.length} bytes`, rule);
      return [];
    }
    if (cells.length / group > max) {
      this.fail('range', name, `${cells.length / group} entries`, `must be ${max} entries or fewer`);
      return [];
    }
    return cells;
  }

  /** Whether `compatible` names `expected`; reports it if not. */
  compatible(expected: readonly string[]): string | undefined {
    const property = propertyOf(this.node, 'compatible');
    const rule = `must be ${expected.map((one) => `"${one}"`).join(' or ')}`;
    if (property === undefined) {
      this.fail('compatible', 'compatible', 'nothing', rule);
      return undefined;
    }
    const texts = readTexts(property.value) ?? [];
    const found = expected.find((one) => texts.includes(one));
    if (found === undefined) this.fail('compatible', 'compatible', texts.map((one) => `"${one}"`).join(', '), rule);
    return found;
  }

  /** The child of that name, its compatible string checked. */
  child(name: string, compatible: string): ManifestProperties | undefined {
    this.entered.add(name);
    const node = childOf(this.node, name);
    if (node === undefined) return undefined;
    const child = new ManifestProperties(node, this.pathOf(name), this.report);
    child.compatible([compatible]);
    return child;
  }

  /** All children, in order. */
  children(): ManifestProperties[] {
    for (const child of this.node.children) this.entered.add(child.name);
    return this.node.children.map((child) => new ManifestProperties(child, this.pathOf(child.name), this.report));
  }

  has(name: string): boolean {
    return propertyOf(this.node, name) !== undefined;
  }

  missing(name: string): void {
    this.fail('missing', name, 'nothing', 'is mandatory');
  }

  fail(kind: ManifestFaultKind, name: string, found: string, rule: string): void {
    const offset = propertyOf(this.node, name)?.offset ?? this.node.offset ?? 0;
    this.report.faults.push({ kind, path: this.pathOf(name), offset, found, rule });
  }

  /** Call when all that is known was asked for: the rest is unknown. */
  done(): void {
    for (const property of this.node.properties) {
      if (!this.asked.has(property.name)) this.report.unknown.push(this.pathOf(property.name));
    }
    for (const child of this.node.children) {
      if (!this.entered.has(child.name)) this.report.unknown.push(this.pathOf(child.name));
    }
  }

  private find(name: string): DeviceTreeProperty | undefined {
    this.asked.add(name);
    return propertyOf(this.node, name);
  }

  private pathOf(name: string): string {
    return this.path === '/' ? `/${name}` : `${this.path}/${name}`;
  }
}

function show(value: number): string {
  return value < 10 ? String(value) : `0x${value.toString(16)}`;
}
