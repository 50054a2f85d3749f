/** A session as the server tells it: version 1 of the broker's JSON. */

export type State =
  'signed_out' | 'signing_in' | 'signed_in' | 'expired' | 'failed';

const STATES: readonly string[] = [
  'signed_out',
  'signing_in',
  'signed_in',
  'expired',
  'failed'
];

/** Who says so: the administrator, the person, Flyte's own files, or code; '' where unknown. */
export type Source = 'admin' | 'user' | 'flyte' | 'session' | '';

const SOURCES: readonly string[] = ['admin', 'user', 'flyte', 'session'];

/** What went wrong, why, and what to do about it. */
export interface IErrorText {
  code: string;
  what: string;
  why: string;
  fix: string;
  retryable: boolean;
}

interface IAnyChallenge {
  /** What will happen, in one sentence; null for the usual one. */
  sentence: string | null;
  expires_at: number | null;
}

/** Open an address in the browser. */
export interface IOpenChallenge extends IAnyChallenge {
  kind: 'open';
  url: string;
}

/** Enter a code on another page, on this device or another (RFC 8628). */
export interface IDeviceChallenge extends IAnyChallenge {
  kind: 'device';
  verification_uri: string;
  verification_uri_complete: string | null;
  user_code: string;
}

/** Paste back the address of the page that the browser ended on. */
export interface IPasteChallenge extends IAnyChallenge {
  kind: 'paste';
  url: string;
}

export type Challenge = IOpenChallenge | IDeviceChallenge | IPasteChallenge;

/** One profile's session. Times are seconds since the epoch, by this browser's clock. */
export interface ISession {
  profile: string;
  platform: string;
  state: State;
  revision: number;
  /** The platform's address. */
  endpoint: string;
  flow: string;
  interactive: boolean;
  /** The kind of client its code gets; '' where it says nothing. */
  client: string;
  source: Source;
  /** Whether only an administrator can change it. */
  locked: boolean;
  /** Whether there is a page to sign in at; its address is ours to make (see paths.ts). */
  hasSignInPage: boolean;
  signed_in_as: string | null;
  signed_in_at: number | null;
  /** When the present token came. */
  refreshed_at: number | null;
  expires_at: number | null;
  next_refresh: number | null;
  scopes: string[];
  /** Where the key of saved sign-ins is: environment, keyring, file or memory. */
  key_source: string;
  challenge: Challenge | null;
  error: IErrorText | null;
  /** What went wrong in the background, while the session goes on. */
  last_error: IErrorText | null;
  warnings: string[];
  /** What was granted otherwise than asked for. */
  notices: string[];
  /** Where to sign out at the provider, too: told once, in answer to a sign-out. */
  logout_url: string | null;
}

/** A QR code as SVG path data. */
export interface IQrCode {
  /** Modules along each side. */
  size: number;
  path: string;
}

/** All profiles, with the one that is meant when none is named. */
export interface IProfiles {
  default: string | null;
  profiles: ISession[];
  /** What is wrong with the configuration. */
  problems: IErrorText[];
  /** Whether the user may have profiles of their own. */
  can_add: boolean;
  /** Whether their choice of a default would count. */
  can_choose: boolean;
}

/** The server's answer is not one this extension can read. */
export class ProtocolError extends Error {}

type Json = Record<string, unknown>;

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function textOrNull(value: unknown): string | null {
  return text(value) || null;
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.map(text).filter(Boolean) : [];
}

/** Reads times, given by how many seconds this browser's clock is ahead of the server's. */
function clockOf(ahead: number): (value: unknown) => number | null {
  return value =>
    typeof value === 'number' && Number.isFinite(value) ? value + ahead : null;
}

function readChallenge(
  value: unknown,
  time: (value: unknown) => number | null
): Challenge | null {
  if (!isObject(value)) {
    return null;
  }
  const expires_at = time(value.expires_at);
  const sentence = textOrNull(value.sentence);
  switch (value.kind) {
    case 'device':
      return {
        kind: 'device',
        verification_uri: text(value.verification_uri),
        verification_uri_complete: textOrNull(value.verification_uri_complete),
        user_code: text(value.user_code),
        sentence,
        expires_at
      };
    case 'open':
    case 'paste':
      return { kind: value.kind, url: text(value.url), sentence, expires_at };
    default:
      return null;
  }
}

/** The error in a session or in the body of a refusal, if there is one. */
export function readError(value: unknown): IErrorText | null {
  if (!isObject(value) || typeof value.what !== 'string') {
    return null;
  }
  return {
    code: text(value.code),
    what: value.what,
    why: text(value.why),
    fix: text(value.fix),
    retryable: value.retryable === true
  };
}

/** Read one session; throws a ProtocolError for anything else. */
export function readSession(value: unknown, ahead = 0): ISession {
  if (
    !isObject(value) ||
    typeof value.profile !== 'string' ||
    typeof value.revision !== 'number' ||
    !STATES.includes(text(value.state))
  ) {
    throw new ProtocolError('not a session');
  }
  const time = clockOf(ahead);
  return {
    profile: value.profile,
    platform: text(value.platform) || value.profile,
    state: value.state as State,
    revision: value.revision,
    endpoint: text(value.endpoint),
    flow: text(value.flow),
    interactive: value.interactive !== false,
    client: text(value.client),
    source: (SOURCES.includes(text(value.source))
      ? value.source
      : '') as Source,
    locked: value.locked === true,
    hasSignInPage: typeof value.sign_in_url === 'string',
    signed_in_as: textOrNull(value.signed_in_as),
    signed_in_at: time(value.signed_in_at),
    refreshed_at: time(value.refreshed_at),
    expires_at: time(value.expires_at),
    next_refresh: time(value.next_refresh),
    scopes: texts(value.scopes),
    key_source: text(value.key_source),
    challenge: readChallenge(value.challenge, time),
    error: readError(value.error),
    last_error: readError(value.last_error),
    warnings: texts(value.warnings),
    notices: texts(value.notices),
    logout_url: textOrNull(value.logout_url)
  };
}

/** Read a QR code; null for none, and for whatever is not one. */
export function readQrCode(value: unknown): IQrCode | null {
  const { size, path } = isObject(value) ? value : {};
  return typeof size === 'number' && /^[Mhvz\d -]+$/.test(text(path))
    ? { size, path: text(path) }
    : null;
}

/** Read the list of profiles; throws a ProtocolError for anything else. */
export function readProfiles(value: unknown, ahead = 0): IProfiles {
  if (!isObject(value) || !Array.isArray(value.profiles)) {
    throw new ProtocolError('not a list of profiles');
  }
  return {
    default: textOrNull(value.default),
    profiles: value.profiles.map(session => readSession(session, ahead)),
    problems: (Array.isArray(value.problems) ? value.problems : [])
      .map(readError)
      .filter(error => error !== null),
    can_add: value.can_add !== false,
    can_choose: value.can_choose !== false
  };
}
