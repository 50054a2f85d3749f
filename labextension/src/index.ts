/** The plugins of platform-auth's front end. */

import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'platform-auth:plugin',
  description: 'Shows where you are signed in.',
  autoStart: true,
  activate: (_: JupyterFrontEnd) => undefined
};

export default plugin;
