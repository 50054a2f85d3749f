/** What the windows of one browser remember together. */

/** A text for each profile, in the browser's storage, which the windows of one server share. */
export class SharedMemory {
  constructor(
    name: string,
    baseUrl: string,
    private readonly storage: Storage = window.localStorage
  ) {
    this.key = `platform-auth:${name}:${baseUrl}`;
  }

  read(profile: string): string {
    return { ...this.stored(), ...this.unsaved }[profile] ?? '';
  }

  keep(profile: string, text: string): void {
    const all = { ...this.stored(), [profile]: text };
    try {
      this.storage.setItem(this.key, JSON.stringify(all));
      delete this.unsaved[profile];
    } catch {
      // No storage, or a full one: then each window remembers for itself.
      this.unsaved[profile] = text;
    }
  }

  private stored(): Record<string, string> {
    try {
      // What is not ours there has no such members, or is no object: then spreading it gives none.
      return JSON.parse(this.storage.getItem(this.key) ?? '{}') as Record<
        string,
        string
      >;
    } catch {
      return {};
    }
  }

  private readonly key: string;
  private readonly unsaved: Record<string, string> = {};
}
