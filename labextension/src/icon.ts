/** The picture of platform connections: in the launcher, the palette, the settings and the panel. */

import { LabIcon } from '@jupyterlab/ui-components';

/** A plug that meets its socket, on the grid and in the grey of JupyterLab's own icons. */
const SVG = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M7.5 3h1.8v4h5.4V3h1.8v4H18v4.5a6 6 0 0 1-5.1 5.93V21h-1.8v-3.57A6 6 0 0 1 6 11.5V7h1.5zM7.8 8.8v2.7a4.2 4.2 0 0 0 8.4 0V8.8z"/>
  </g>
</svg>`;

/** Registered under its name, by which the settings' schema finds it. */
export const connectionsIcon = new LabIcon({
  name: 'platform-auth:connections',
  svgstr: SVG
});
