/** Buttons that are pictures. */

import type { LabIcon } from '@jupyterlab/ui-components';

import { element } from './dom';

/** A button that is a picture: its name for those who hear it, more for those who point at it. */
export function tool(
  icon: LabIcon,
  name: string,
  caption: string,
  onClick: () => void
): HTMLButtonElement {
  const button = element('button', 'pa-tool');
  button.type = 'button';
  button.title = caption;
  button.setAttribute('aria-label', name);
  button.append(icon.element({ tag: 'span', elementSize: 'normal' }));
  button.addEventListener('click', onClick);
  return button;
}
