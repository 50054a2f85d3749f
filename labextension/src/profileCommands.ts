/** What can be done to profiles, by name. */

import { addIcon, deleteIcon, editIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { IProfileApi } from './profileApi';
import {
  confirmRemoval,
  showAdded,
  showProfileForm,
  showRefusal
} from './profileDialog';
import { ProfileWords } from './profileWords';
import { ISessions } from './sessions';
import { Words } from './words';

export const ProfileCommandIDs = {
  add: 'platform-auth:add-profile',
  edit: 'platform-auth:edit-profile',
  remove: 'platform-auth:remove-profile',
  setDefault: 'platform-auth:set-default'
};

export interface IProfileCommandOptions {
  api: IProfileApi;
  sessions: ISessions;
  words: Words;
  profileWords: ProfileWords;
}

/** Add all of them. */
export function addProfileCommands(
  commands: CommandRegistry,
  options: IProfileCommandOptions
): void {
  const { sessions, profileWords: words } = options;
  const describedBy = ofProfile(words.nameArgument);
  const isOwn = (args: ReadonlyPartialJSONObject) =>
    isChangeable(nameIn(args), sessions);

  commands.addCommand(ProfileCommandIDs.add, {
    label: words.add,
    caption: words.addCaption,
    icon: args => (args.isPalette ? undefined : addIcon),
    describedBy: { args: null },
    isEnabled: () => sessions.canAdd,
    execute: () => add(options)
  });
  commands.addCommand(ProfileCommandIDs.edit, {
    label: words.edit,
    caption: words.editCaption,
    icon: editIcon,
    describedBy,
    isEnabled: isOwn,
    execute: args => edit(nameIn(args), options)
  });
  commands.addCommand(ProfileCommandIDs.remove, {
    label: words.remove,
    caption: words.removeCaption,
    icon: deleteIcon,
    describedBy,
    isEnabled: isOwn,
    execute: args => remove(nameIn(args), options)
  });
  commands.addCommand(ProfileCommandIDs.setDefault, {
    label: words.setDefault,
    caption: words.setDefaultCaption,
    describedBy,
    isEnabled: args => sessions.canChoose && nameIn(args) !== '',
    isToggleable: true,
    isToggled: args => sessions.defaultProfile === nameIn(args),
    execute: args => setDefault(nameIn(args), options)
  });
  sessions.changed.connect(() => {
    Object.values(ProfileCommandIDs).forEach(id =>
      commands.notifyCommandChanged(id)
    );
  });
}

function ofProfile(description: string) {
  return {
    args: {
      type: 'object' as const,
      required: ['name'],
      properties: { name: { type: 'string' as const, description } }
    }
  };
}

function nameIn({ name }: ReadonlyPartialJSONObject): string {
  return typeof name === 'string' ? name : '';
}

/** Whether it may be the user's own; of a broken profile only the server knows. */
function isChangeable(name: string, sessions: ISessions): boolean {
  const { session } = sessions.read(name);
  return session !== null && ['user', ''].includes(session.source);
}

async function add(options: IProfileCommandOptions): Promise<void> {
  const { sessions, words, profileWords } = options;
  const added = await showProfileForm({ ...options, edited: null });
  if (added) {
    sessions.refresh();
    await showAdded(added, sessions, words, profileWords);
  }
}

async function edit(
  name: string,
  options: IProfileCommandOptions
): Promise<void> {
  const { api, sessions } = options;
  await unlessRefused(options, async () => {
    const own = await api.own(name);
    const flow = sessions.read(name).session?.flow ?? '';
    await showProfileForm({ ...options, edited: { ...own, flow } });
  });
}

async function remove(
  name: string,
  options: IProfileCommandOptions
): Promise<void> {
  if (await confirmRemoval(name, options.profileWords)) {
    await unlessRefused(options, () => options.api.remove(name));
  }
}

async function setDefault(
  name: string,
  options: IProfileCommandOptions
): Promise<void> {
  await unlessRefused(options, () => options.api.setDefault(name));
}

/** Do something, and show what has become of it; a refusal is shown, too. */
async function unlessRefused(
  { sessions, words, profileWords }: IProfileCommandOptions,
  deed: () => Promise<void>
): Promise<void> {
  try {
    await deed();
  } catch (reason) {
    await showRefusal(reason, words, profileWords);
  } finally {
    sessions.refresh();
  }
}
