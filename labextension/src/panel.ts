/** The side panel: all connections, with JupyterLab's own frame around them. */

import {
  addIcon,
  LabIcon,
  MenuSvg,
  refreshIcon,
  SidePanel
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { Token } from '@lumino/coreutils';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { IRowOptions } from './connectionRow';
import { Connections } from './connections';
import { connectionsIcon } from './icon';
import { tool } from './tool';

/** Where the person sees and changes how they stand with their platforms. */
export interface IConnectionsPanel {
  /** Show it; with a profile, that one's row. */
  open(profile?: string): void;
}

export const IConnectionsPanel = new Token<IConnectionsPanel>(
  'platform-auth:IConnectionsPanel',
  'The side panel with all platform connections.'
);

/** What other plugins may offer; what is not there is not offered. */
const ADD = 'platform-auth:add-profile';
const OF_ONE = [
  'platform-auth:set-default',
  'platform-auth:edit-profile',
  'platform-auth:remove-profile'
];

export type IPanelOptions = Omit<IRowOptions, 'openMenu'> & {
  commands: CommandRegistry;
};

export class ConnectionsPanel extends SidePanel {
  constructor(options: IPanelOptions) {
    super();
    const { commands, words } = options;
    this.id = 'platform-auth-connections';
    this.addClass('pa-panel');
    this.title.icon = connectionsIcon;
    this.title.caption = words.connections;
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', words.connections);
    this.connections = new Connections({
      ...options,
      openMenu: (profile, button) => openMenu(commands, profile, button)
    });
    this.fillToolbar(options);
    this.addWidget(this.connections);
  }

  /** Bring a profile's row into sight. */
  reveal(profile: string): void {
    this.connections.row(profile)?.reveal();
  }

  protected override onActivateRequest(_: Message): void {
    this.connections.node.tabIndex = -1;
    this.connections.node.focus();
  }

  private fillToolbar(options: IPanelOptions): void {
    const { commands, panelWords, sessions } = options;
    const { toolbar } = this.connections;
    const add = button(addIcon, panelWords.add, () => commands.execute(ADD));
    const show = () =>
      add.setHidden(!(commands.hasCommand(ADD) && commands.isEnabled(ADD)));
    commands.commandChanged.connect(show, this);
    show();
    toolbar.addItem('add', add);
    const refresh = button(refreshIcon, panelWords.refresh, () =>
      sessions.refresh()
    );
    toolbar.addItem('refresh', refresh);
  }

  private readonly connections: Connections;
}

/** What else can be done with a profile, below a button. */
function openMenu(
  commands: CommandRegistry,
  profile: string,
  button: HTMLElement
): void {
  const menu = new MenuSvg({ commands });
  const args = { name: profile };
  OF_ONE.filter(command => commands.hasCommand(command)).forEach(command =>
    menu.addItem({ command, args })
  );
  const { left, bottom } = button.getBoundingClientRect();
  button.setAttribute('aria-expanded', 'true');
  menu.aboutToClose.connect(() => {
    button.setAttribute('aria-expanded', 'false');
    button.focus();
    requestAnimationFrame(() => menu.dispose());
  });
  menu.open(left, bottom);
}

/** JupyterLab's own toolbar button names itself pressed, which assistive technology refuses. */
function button(icon: LabIcon, name: string, onClick: () => void): Widget {
  return new Widget({ node: tool(icon, name, name, onClick) });
}
