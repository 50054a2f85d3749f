/** What a platform says of itself, and which document says so: a table. */

import { element } from './dom';
import { IFact, IProspect } from './profileEntry';
import { ProfileWords } from './profileWords';

export class Found {
  readonly node = element('div', 'pa-form-facts');

  constructor(private readonly words: ProfileWords) {}

  show({ found, cautions }: IProspect): void {
    this.node.replaceChildren(
      this.table(found),
      ...cautions.map(text => element('p', 'pa-login-warning', text))
    );
  }

  clear(): void {
    this.node.replaceChildren();
  }

  private table(facts: IFact[]): HTMLElement {
    const { words } = this;
    return element(
      'table',
      'pa-form-found',
      element('caption', '', words.found),
      element(
        'thead',
        '',
        element('tr', '', ...words.columns.map(text => head('col', text)))
      ),
      element('tbody', '', ...facts.map(fact => this.row(fact)))
    );
  }

  private row({ what, value, source }: IFact): HTMLElement {
    const { words } = this;
    return element(
      'tr',
      '',
      head('row', words.fact(what)),
      element('td', '', value),
      element('td', '', words.source(source))
    );
  }
}

function head(scope: string, text: string): HTMLElement {
  const node = element('th', '', text);
  node.scope = scope;
  return node;
}
