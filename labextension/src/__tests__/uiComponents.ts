/** As much of JupyterLab's components as the panel takes: the real ones are for a browser. */

import { Panel, Widget } from '@lumino/widgets';

export class PanelWithToolbar extends Panel {
  readonly toolbar = new Widget();
}

class Icon {
  constructor(private readonly name: string) {}

  element(options: { className?: string }): HTMLElement {
    const node = document.createElement('span');
    node.className = options.className ?? '';
    node.dataset.icon = this.name;
    return node;
  }
}

export const addBelowIcon = new Icon('add-below');
export const caretDownEmptyIcon = new Icon('caret-down-empty');
export const copyIcon = new Icon('copy');
export const ellipsesIcon = new Icon('ellipses');
export const lockIcon = new Icon('lock');
export const runIcon = new Icon('run');
