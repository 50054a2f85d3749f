/** The plugin with which people add, change and remove profiles of their own. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ProfileApi } from './profileApi';
import { addProfileCommands, ProfileCommandIDs } from './profileCommands';
import { ProfileWords } from './profileWords';
import { ISessions } from './sessions';
import { Words } from './words';

export const profiles: JupyterFrontEndPlugin<void> = {
  id: 'platform-auth:profiles',
  description: 'Adds, changes and removes profiles, and chooses the default.',
  autoStart: true,
  requires: [ISessions],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    palette: ICommandPalette | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('platform_auth');
    const profileWords = new ProfileWords(trans);
    addProfileCommands(app.commands, {
      api: new ProfileApi(app.serviceManager.serverSettings),
      sessions,
      words: new Words(trans),
      profileWords
    });
    palette?.addItem({
      category: profileWords.category,
      command: ProfileCommandIDs.add
    });
  }
};
