/** The list of connections, in a dialog. */

import { Dialog, showDialog } from '@jupyterlab/apputils';

import { Connections } from './connections';
import { ISessions } from './sessions';
import { Words } from './words';

/** Show it until closed. */
export async function showConnections(
  sessions: ISessions,
  words: Words
): Promise<void> {
  await showDialog({
    title: words.connections,
    body: new Connections(sessions, words),
    buttons: [Dialog.cancelButton({ label: words.close })],
    hasClose: true
  });
}
