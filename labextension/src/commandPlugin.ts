/** The plugins that make everything reachable by name: commands, palette, launcher. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ILauncher } from '@jupyterlab/launcher';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { addCommands, CommandIDs } from './commands';
import { CommandWords } from './commandWords';
import { fillPalette } from './launcher';
import { NoticeWords } from './noticeWords';
import { IConnectionsPanel } from './panel';
import { ISignIns, SignIns } from './signIn';
import { ISessions } from './sessions';
import { Words } from './words';

/** Among the launcher's other cards: after the terminal, before the text files. */
const RANK = 1;

/** JupyterLab shows a notification that says nothing of its time in the list of them only. */
const SHOWN = { autoClose: 15_000 };

export const commands: JupyterFrontEndPlugin<ISignIns> = {
  id: 'platform-auth:commands',
  description: 'Adds the commands, to the palette and the launcher, too.',
  autoStart: true,
  provides: ISignIns,
  requires: [ISessions, IConnectionsPanel],
  optional: [ICommandPalette, ILauncher, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    connections: IConnectionsPanel,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    translator: ITranslator | null
  ): ISignIns => {
    const trans = (translator ?? nullTranslator).load('platform_auth');
    const words = new CommandWords(trans);
    const signIns = signInsOf(
      sessions,
      connections,
      new Words(trans),
      new NoticeWords(trans)
    );
    const open = () => connections.open();
    addCommands(app.commands, { sessions, signIns, words, open });
    if (palette) {
      fillPalette(palette, sessions, words);
    }
    launcher?.add({
      command: CommandIDs.openConnections,
      category: words.other,
      rank: RANK
    });
    return signIns;
  }
};

function signInsOf(
  sessions: ISessions,
  connections: IConnectionsPanel,
  words: Words,
  notices: NoticeWords
): SignIns {
  const platformOf = (profile: string) =>
    sessions.read(profile).session?.platform ?? profile;
  return new SignIns(sessions, {
    onBlocked: profile => {
      connections.open(profile);
      Notification.warning(notices.blocked(platformOf(profile)), SHOWN);
    },
    onTrouble: (profile, problem) => {
      connections.open(profile);
      Notification.error(words.sentence(words.problem(problem)), SHOWN);
    }
  });
}
