/** The plugin that shows the panel: in either side of JupyterLab, and of Notebook 7. */

import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { NotebookDeeds } from './deeds';
import { History } from './history';
import { notebookFinder } from './notebookTarget';
import { ConnectionsPanel, IConnectionsPanel } from './panel';
import { PanelWords } from './panelWords';
import { ISessions } from './sessions';
import { IPreferences } from './settings';
import { Words } from './words';

/** Below JupyterLab's own panels. */
const RANK = 800;

export const panel: JupyterFrontEndPlugin<IConnectionsPanel> = {
  id: 'platform-auth:panel',
  description: 'Shows all platform connections in a side panel.',
  autoStart: true,
  provides: IConnectionsPanel,
  requires: [ISessions, IPreferences],
  optional: [INotebookTracker, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    sessions: ISessions,
    preferences: IPreferences,
    notebooks: INotebookTracker | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): IConnectionsPanel => {
    const trans = (translator ?? nullTranslator).load('platform_auth');
    const words = new Words(trans);
    const panelWords = new PanelWords(trans);
    const show = (id: string) => app.shell.activateById(id);
    const isSignedIn = (profile: string) =>
      sessions.read(profile).session?.state === 'signed_in';
    const widget = new ConnectionsPanel({
      commands: app.commands,
      sessions,
      words,
      panelWords,
      history: new History(sessions, words, panelWords),
      deeds: new NotebookDeeds(
        notebookFinder(notebooks, show),
        isSignedIn,
        panelWords
      )
    });
    let side = '';
    const place = () => {
      if (side !== preferences.panelSide) {
        side = preferences.panelSide;
        app.shell.add(widget, side, { rank: RANK, type: widget.id });
      }
    };
    preferences.changed.connect(place);
    place();
    restorer?.add(widget, widget.id);
    return {
      open: profile => {
        show(widget.id);
        if (profile) {
          widget.reveal(profile);
        }
      }
    };
  }
};
