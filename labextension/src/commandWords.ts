/** The words of commands. */

import type { TranslationBundle } from '@jupyterlab/translation';

export class CommandWords {
  constructor(private readonly trans: TranslationBundle) {}

  /** Where the palette lists them. */
  get category(): string {
    return this.trans.__('Platform Connections');
  }

  /** The launcher's own category of this name. */
  get other(): string {
    return this.trans.__('Other');
  }

  get connections(): string {
    return this.trans.__('Platform connections');
  }

  get connectionsCaption(): string {
    return this.trans.__('Show where you are signed in, sign in and out');
  }

  signIn(platform: string | null): string {
    return platform === null
      ? this.trans.__('Sign in to a Platform')
      : this.trans.__('Sign in to %1', platform);
  }

  get signInCaption(): string {
    return this.trans.__('Sign in once for all notebooks of this server');
  }

  signOut(platform: string | null): string {
    return platform === null
      ? this.trans.__('Sign out of a Platform')
      : this.trans.__('Sign out of %1', platform);
  }

  get signOutCaption(): string {
    return this.trans.__('Sign out, for all notebooks of this server');
  }

  get nameArgument(): string {
    return this.trans.__(
      'The name of the profile; the default one where it is not given.'
    );
  }
}
