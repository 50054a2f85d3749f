/** Why the state of a session is not known just now. */

import { RefusedError } from './request';
import { IErrorText, ProtocolError } from './session';

export type Problem =
  /** The Jupyter server does not answer. */
  | { kind: 'unreachable' }
  /** It no longer knows this browser. */
  | { kind: 'logged-out' }
  /** It runs without platform-auth. */
  | { kind: 'missing' }
  /** It runs another version of platform-auth. */
  | { kind: 'other-version' }
  /** It says no, and why. */
  | { kind: 'refused'; error: IErrorText };

/** Sort what a request threw. */
export function problemOf(reason: unknown): Problem {
  if (reason instanceof ProtocolError) {
    return { kind: 'other-version' };
  }
  if (!(reason instanceof RefusedError)) {
    return { kind: 'unreachable' };
  }
  if (reason.error) {
    return { kind: 'refused', error: reason.error };
  }
  switch (reason.status) {
    case 401:
    case 403:
      return { kind: 'logged-out' };
    case 404:
      return { kind: 'missing' };
    default:
      return { kind: 'unreachable' };
  }
}
