/** Where people look for something new: the launcher's card and the palette's entries. */

import type { ICommandPalette } from '@jupyterlab/apputils';
import { IDisposable } from '@lumino/disposable';

import { CommandIDs } from './commands';
import { CommandWords } from './commandWords';
import { ISessions } from './sessions';

/** List the commands in the palette: the connections, and what can be done to each. */
export function fillPalette(
  palette: ICommandPalette,
  sessions: ISessions,
  { category }: CommandWords
): void {
  palette.addItem({ category, command: CommandIDs.openConnections });
  let items: IDisposable[] = [];
  let shown = '';
  const list = () => {
    const profiles = sessions.profiles ?? [];
    if (JSON.stringify(profiles) === shown) {
      return;
    }
    shown = JSON.stringify(profiles);
    items.forEach(item => item.dispose());
    items = profiles.flatMap(name =>
      [CommandIDs.signIn, CommandIDs.signOut].map(command =>
        palette.addItem({ category, command, args: { name } })
      )
    );
  };
  sessions.changed.connect(list);
  list();
}
