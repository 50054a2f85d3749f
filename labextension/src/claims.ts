/** Which window tells: several of one browser see the same, and one notification is enough. */

/** How long a window that is not in front gives way to the one that is, in milliseconds. */
const GIVE_WAY = 1_500;

/** What has been told, by whichever window, for each profile: its last cause. */
export interface IClaims {
  /** Take it on oneself to tell of a cause; false when it has been told. */
  claim(profile: string, cause: string): boolean;
  /** All is well with a profile: the same cause, should it come again, is another one. */
  forget(profile: string): void;
}

/** Claims in the browser's storage, which the windows of one server share. */
export class StoredClaims implements IClaims {
  constructor(
    baseUrl: string,
    private readonly storage: Storage = window.localStorage
  ) {
    this.key = `platform-auth:told:${baseUrl}`;
  }

  claim(profile: string, cause: string): boolean {
    const stored = this.stored();
    if ([stored[profile], this.own.get(profile)].includes(cause)) {
      return false;
    }
    this.keep(profile, cause, stored);
    return true;
  }

  forget(profile: string): void {
    const stored = this.stored();
    if (stored[profile] || this.own.get(profile)) {
      this.keep(profile, '', stored);
    }
  }

  private keep(
    profile: string,
    cause: string,
    stored: Record<string, string>
  ): void {
    this.own.set(profile, cause);
    try {
      const all = JSON.stringify({ ...stored, [profile]: cause });
      this.storage.setItem(this.key, all);
    } catch {
      // No storage, or a full one: then each window tells for itself.
    }
  }

  private stored(): Record<string, string> {
    try {
      const value: unknown = JSON.parse(this.storage.getItem(this.key) ?? '{}');
      return typeof value === 'object' && value !== null
        ? (value as Record<string, string>)
        : {};
    } catch {
      return {};
    }
  }

  private readonly key: string;
  private readonly own = new Map<string, string>();
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
