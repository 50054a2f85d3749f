/** What can be asked for by name: from menus, the palette, the launcher, and other extensions. */

import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { CommandWords } from './commandWords';
import { connectionsIcon } from './icon';
import { ISignIns } from './signIn';
import { ISessions } from './sessions';

export const CommandIDs = {
  openConnections: 'platform-auth:open-connections',
  signIn: 'platform-auth:sign-in',
  signOut: 'platform-auth:sign-out'
};

/** The arguments of those that are about one profile. */
const ofProfile = (description: string) => ({
  args: {
    type: 'object' as const,
    properties: { name: { type: 'string' as const, description } }
  }
});

export interface ICommandOptions {
  sessions: ISessions;
  signIns: ISignIns;
  words: CommandWords;
  /** Show the connections. */
  open: () => void;
}

/** Add all commands. */
export function addCommands(
  commands: CommandRegistry,
  { sessions, signIns, words, open }: ICommandOptions
): void {
  const named = (args: ReadonlyPartialJSONObject) => profileOf(args, sessions);
  const platform = (args: ReadonlyPartialJSONObject) =>
    platformOf(named(args), sessions);
  const isSignedIn = (args: ReadonlyPartialJSONObject) =>
    sessions.read(named(args) ?? '').session?.state === 'signed_in';
  const describedBy = ofProfile(words.nameArgument);

  commands.addCommand(CommandIDs.openConnections, {
    label: words.connections,
    caption: words.connectionsCaption,
    icon: args => (args.isPalette ? undefined : connectionsIcon),
    describedBy: { args: null },
    execute: open
  });
  commands.addCommand(CommandIDs.signIn, {
    describedBy,
    label: args => words.signIn(platform(args)),
    caption: words.signInCaption,
    isVisible: args => !isSignedIn(args),
    execute: args => {
      const profile = named(args);
      // Nothing before this: a window opens only in the turn of the click or key press itself.
      return profile === null ? open() : signIns.begin(profile);
    }
  });
  commands.addCommand(CommandIDs.signOut, {
    describedBy,
    label: args => words.signOut(platform(args)),
    caption: words.signOutCaption,
    isVisible: isSignedIn,
    isEnabled: isSignedIn,
    execute: async args => {
      await sessions.act(named(args) ?? '', 'sign-out');
    }
  });
  sessions.changed.connect(() => {
    commands.notifyCommandChanged(CommandIDs.signIn);
    commands.notifyCommandChanged(CommandIDs.signOut);
  });
}

/** The profile that is named, else the default, else the only one. */
function profileOf(
  { name }: ReadonlyPartialJSONObject,
  { profiles, defaultProfile }: ISessions
): string | null {
  if (typeof name === 'string' && name) {
    return name;
  }
  return defaultProfile ?? (profiles?.length === 1 ? profiles[0] : null);
}

/** What people call it: its platform, with the name of the profile where two share that. */
function platformOf(
  profile: string | null,
  sessions: ISessions
): string | null {
  if (profile === null) {
    return null;
  }
  const called = (name: string) =>
    sessions.read(name).session?.platform || name;
  const isShared = (sessions.profiles ?? []).some(
    other => other !== profile && called(other) === called(profile)
  );
  return isShared ? `${called(profile)} (${profile})` : called(profile);
}
