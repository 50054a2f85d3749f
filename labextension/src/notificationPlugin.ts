/** The plugin that tells people when a platform needs them. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { patience, StoredClaims } from './claims';
import { Notifier } from './notifications';
import { NoticeWords } from './noticeWords';
import { IConnectionsPanel } from './panel';
import { ISessions } from './sessions';
import { IPreferences } from './settings';
import { ISignIns } from './signIn';

export const notifications: JupyterFrontEndPlugin<void> = {
  id: 'platform-auth:notifications',
  description: 'Tells when a sign-in is about to end, has ended, or failed.',
  autoStart: true,
  requires: [ISessions, ISignIns, IPreferences, IConnectionsPanel],
  optional: [ITranslator],
  activate: (
    _: JupyterFrontEnd,
    sessions: ISessions,
    signIns: ISignIns,
    preferences: IPreferences,
    connections: IConnectionsPanel,
    translator: ITranslator | null
  ) => {
    new Notifier({
      sessions,
      signIns,
      preferences,
      words: new NoticeWords(
        (translator ?? nullTranslator).load('platform_auth')
      ),
      claims: new StoredClaims(sessions.baseUrl),
      board: Notification,
      patience,
      open: profile => connections.open(profile)
    });
  }
};
