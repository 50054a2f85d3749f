/** Fields of a form: each with its label, its hint and what is wrong with it. */

import { element } from './dom';

let made = 0;

/** What can be typed into, chosen from or ticked. */
export class Field<T extends HTMLInputElement | HTMLSelectElement> {
  constructor(
    readonly input: T,
    label: string,
    hint = ''
  ) {
    input.id = `pa-field-${++made}`;
    this.label = element('label', 'pa-form-label', label);
    this.label.htmlFor = input.id;
    this.hint = element('p', 'pa-form-hint', hint);
    this.hint.id = `${input.id}-hint`;
    input.setAttribute('aria-describedby', this.hint.id);
    const isTick = input.type === 'checkbox';
    this.node = element(
      'div',
      isTick ? 'pa-form-tick' : 'pa-form-field',
      ...(isTick ? [input, this.label] : [this.label, input]),
      this.hint
    );
    // What was wrong is not known to be wrong any more.
    input.addEventListener('input', () => this.setWrong(''));
  }

  get text(): string {
    return this.input.value.trim();
  }

  setLabel(label: string): void {
    this.label.textContent = label;
  }

  /** Say what is wrong, and bring the person there; nothing is wrong with ''. */
  setWrong(what: string): void {
    this.input.setAttribute('aria-invalid', String(what !== ''));
    this.hint.dataset.state = what ? 'wrong' : '';
    if (what) {
      this.usual ??= this.hint.textContent;
      this.hint.textContent = what;
      this.input.focus();
    } else if (this.usual !== null) {
      this.hint.textContent = this.usual;
      this.usual = null;
    }
  }

  readonly node: HTMLElement;
  private readonly label: HTMLLabelElement;
  private readonly hint: HTMLElement;
  private usual: string | null = null;
}

/** A line of text. */
export function textField(
  label: string,
  hint = '',
  type = 'text'
): Field<HTMLInputElement> {
  const input = element('input', 'pa-form-input');
  input.type = type;
  input.autocomplete = type === 'password' ? 'new-password' : 'off';
  input.spellcheck = false;
  input.setAttribute('autocapitalize', 'off');
  return new Field(input, label, hint);
}

/** A box to tick. */
export function tickField(label: string): Field<HTMLInputElement> {
  const input = element('input', 'pa-form-box');
  input.type = 'checkbox';
  return new Field(input, label);
}

/** A choice among few. */
export function choiceField(label: string): Field<HTMLSelectElement> {
  return new Field(element('select', 'pa-form-input'), label);
}

/** Fill a choice, and choose. */
export function setChoices(
  { input }: Field<HTMLSelectElement>,
  choices: [value: string, label: string][],
  chosen: string
): void {
  input.replaceChildren(
    ...choices.map(([value, label]) => {
      const option = element('option', '', label);
      option.value = value;
      return option;
    })
  );
  input.value = chosen;
}
