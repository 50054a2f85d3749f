/** A profile as `profiles.yaml` has it, and what a platform says of itself: the server's JSON. */

import { ProtocolError } from './session';

/** A block of an entry. */
export type Block = Record<string, unknown>;

/** The shape of `profiles.yaml`: blocks of settings, and the kind of client. */
export type Entry = Record<string, unknown>;

/** One thing that a platform says. */
export interface IFact {
  what: string;
  value: string;
  /** The document that says so; `given` where the person has. */
  source: string;
}

/** A platform as it presents itself. */
export interface IProspect {
  /** What it may be called. */
  name: string;
  entry: Entry;
  found: IFact[];
  /** The flows that work there, the easiest first. */
  flows: string[];
  /** Nobody says as which client people sign in. */
  needsClient: boolean;
  cautions: string[];
}

/** A profile of the user's. */
export interface IOwnProfile {
  name: string;
  entry: Entry;
  /** What tells this state of it from others. */
  revision: string;
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProtocolError('not an object');
  }
  return value as Record<string, unknown>;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text).filter(Boolean) : [];
}

export function readProspect(value: unknown): IProspect {
  const { name, entry, found, flows, needs_client, cautions } = object(value);
  return {
    name: text(name),
    entry: object(entry),
    found: (Array.isArray(found) ? found : []).map(object).map(fact => ({
      what: text(fact.what),
      value: text(fact.value),
      source: text(fact.source)
    })),
    flows: texts(flows),
    needsClient: needs_client === true,
    cautions: texts(cautions)
  };
}

export function readOwnProfile(value: unknown): IOwnProfile {
  const { name, entry, revision } = object(value);
  return { name: text(name), entry: object(entry), revision: text(revision) };
}

/** A block of an entry; an empty one where there is none. */
export function block(entry: Entry, name: string): Block {
  const found = entry[name];
  return typeof found === 'object' && found !== null ? (found as Block) : {};
}

/** Whether a value is there but not shown; sent back, it stays what it is. */
export function isKept(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    (value as Block).kept === true
  );
}

/** A value as text to be edited. */
export function asText(value: unknown): string {
  return Array.isArray(value) ? texts(value).join(' ') : text(value);
}

/** An entry with settings changed, by `block.key`, or `client`; empty ones are taken out. */
export function changed(entry: Entry, settings: Entry): Entry {
  const result = JSON.parse(JSON.stringify(entry)) as Entry;
  for (const [path, value] of Object.entries(settings)) {
    const [name, key] = path.split('.');
    const where = key === undefined ? result : block(result, name);
    const last = key ?? name;
    const isNothing = Array.isArray(value) && value.length === 0;
    if (isNothing || value === '' || value === false || value === null) {
      delete where[last];
    } else {
      where[last] = value;
    }
    if (key !== undefined) {
      result[name] = where;
    }
  }
  return result;
}
