/** All there is to know about a session, folded away until somebody asks for it. */

import { element } from './dom';
import { IHappening } from './history';
import { IFact, PanelWords } from './panelWords';
import { clock } from './words';

export class Details {
  readonly node = element('section', 'pa-details');

  constructor(words: PanelWords) {
    this.node.hidden = true;
    this.node.setAttribute('aria-label', words.details);
    this.node.append(this.facts, this.heading, this.events);
    this.heading.textContent = words.events;
  }

  /** Fold them away, or unfold them; whether they show now. */
  toggle(): boolean {
    this.node.hidden = !this.node.hidden;
    return !this.node.hidden;
  }

  show(facts: IFact[], happenings: readonly IHappening[]): void {
    const key = JSON.stringify([facts, happenings]);
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    this.facts.replaceChildren(
      ...facts.flatMap(({ name, text }) => [
        element('dt', '', name),
        element('dd', '', text)
      ])
    );
    this.heading.hidden = happenings.length === 0;
    this.events.hidden = this.heading.hidden;
    this.events.replaceChildren(
      ...happenings.map(({ at, text }) =>
        element('li', '', element('time', 'pa-event-time', clock(at)), text)
      )
    );
  }

  private readonly facts = element('dl', 'pa-facts');
  private readonly heading = element('h4', 'pa-events-title');
  private readonly events = element('ul', 'pa-events');
  private shown = '';
}
