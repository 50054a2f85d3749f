/** The plugins of platform-auth's front end. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { commands } from './commandPlugin';
import { followEvents } from './events';
import { notifications } from './notificationPlugin';
import { IConnectionsPanel } from './panel';
import { panel } from './panelPlugin';
import { PanelWords } from './panelWords';
import { profiles } from './profilePlugin';
import { loginRendererFactory } from './renderer';
import { SessionApi } from './request';
import { ISessions, Sessions } from './sessions';
import { IPreferences } from './settings';
import { settings } from './settingsPlugin';
import { StatusItem } from './statusItem';
import { Words } from './words';

/** Ranked among the status items that stay: behind the kernel's, before what comes and goes. */
const RANK = 900;

function wordsOf(translator: ITranslator | null): Words {
  return new Words((translator ?? nullTranslator).load('platform_auth'));
}

/** What this window knows of the user's sessions. */
const sessions: JupyterFrontEndPlugin<ISessions> = {
  id: 'platform-auth:sessions',
  description: "Knows the user's sessions with their platforms.",
  autoStart: true,
  provides: ISessions,
  activate: (app: JupyterFrontEnd): ISessions => {
    const { events, serverSettings } = app.serviceManager;
    const known = new Sessions(
      serverSettings.baseUrl,
      new SessionApi(serverSettings)
    );
    followEvents(events, known);
    void app.restored.then(() => known.start());
    return known;
  }
};

/** The login display in a cell's output. */
const display: JupyterFrontEndPlugin<void> = {
  id: 'platform-auth:display',
  description: 'Shows the login display of a waiting cell, live.',
  autoStart: true,
  requires: [ISessions, IRenderMimeRegistry],
  optional: [ITranslator],
  activate: (
    _: JupyterFrontEnd,
    known: ISessions,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null
  ) => {
    const factory = loginRendererFactory(known, wordsOf(translator));
    rendermime.addFactory(factory, factory.defaultRank);
  }
};

/** The state at a glance: in the status bar, or at the top where there is none (Notebook 7). */
const status: JupyterFrontEndPlugin<void> = {
  id: 'platform-auth:status',
  description: 'Shows at a glance where the user is signed in.',
  autoStart: true,
  requires: [ISessions, IConnectionsPanel, IPreferences],
  optional: [IStatusBar, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    known: ISessions,
    connections: IConnectionsPanel,
    preferences: IPreferences,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('platform_auth');
    const words = {
      words: new Words(trans),
      panelWords: new PanelWords(trans)
    };
    const item = new StatusItem(known, words, () => connections.open());
    item.id = 'platform-auth-status';
    if (statusBar) {
      statusBar.registerStatusItem('platform-auth:status', {
        item,
        align: 'left',
        rank: RANK
      });
    } else {
      app.shell.add(item, 'top', { rank: RANK });
    }
    const show = () => item.setHidden(!preferences.statusItem);
    preferences.changed.connect(show);
    show();
  }
};

export default [
  sessions,
  settings,
  display,
  panel,
  status,
  profiles,
  commands,
  notifications
];
