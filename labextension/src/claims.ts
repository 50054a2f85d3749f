/** Which window tells: several of one browser see the same, and one notification is enough. */

import { SharedMemory } from './memory';

/** How long a window that is not in front gives way to the one that is, in milliseconds. */
const GIVE_WAY = 1_500;

/** What has been told, by whichever window, for each profile: its last cause. */
export interface IClaims {
  /** Take it on oneself to tell of a cause; false when it has been told. */
  claim(profile: string, cause: string): boolean;
  /** All is well with a profile: the same cause, should it come again, is another one. */
  forget(profile: string): void;
}

/** Claims that the windows of one browser share. */
export class StoredClaims implements IClaims {
  constructor(baseUrl: string) {
    this.told = new SharedMemory('told', baseUrl);
  }

  claim(profile: string, cause: string): boolean {
    if (this.told.read(profile) === cause) {
      return false;
    }
    this.told.keep(profile, cause);
    return true;
  }

  forget(profile: string): void {
    if (this.told.read(profile)) {
      this.told.keep(profile, '');
    }
  }

  private readonly told: SharedMemory;
}

/**
 * Milliseconds this window waits before it tells; null while nobody can see it.
 *
 * The window in front tells at once, the others give way, each for another time.
 */
export function patience(random = Math.random()): number | null {
  if (document.visibilityState === 'hidden') {
    return null;
  }
  return document.hasFocus() ? 0 : GIVE_WAY * (1 + random);
}
