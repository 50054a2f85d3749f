/** The few pictures of a card: shapes, not only colours, tell the states apart. */

import { svgElement } from './dom';
import { Glyph } from './view';

/** Outlines on a grid of 24 by 24. */
const PATHS: Record<Glyph, string[]> = {
  lock: ['M6.5 11h11v8.5h-11z', 'M9 11V8a3 3 0 0 1 6 0v3'],
  wait: ['M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20', 'M12 2a10 10 0 0 1 10 10'],
  check: ['M5 12.5l4.5 4.5L19 7.5'],
  alert: ['M12 6v7.5', 'M12 17.5v.1']
};

/** Draw one. */
export function drawGlyph(glyph: Glyph): SVGElement {
  const svg = svgElement('svg', {
    viewBox: '0 0 24 24',
    'aria-hidden': 'true'
  });
  svg.append(...PATHS[glyph].map(d => svgElement('path', { d })));
  return svg;
}
