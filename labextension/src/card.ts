/**
 * The card: how one session looks.
 *
 * Its structure and class names are those of the text/html form, so that both share their look.
 */

import { DeviceCode, IDeviceCodeWords } from './deviceCode';
import { element } from './dom';
import { drawGlyph } from './glyphs';
import { IQrCode } from './session';
import { ButtonKey, IButton, ILink, IPaste, IView } from './view';

/** What a card does when it is used. */
export interface ICardHandlers {
  /** The link was pressed; prevent the default to stay on this page. */
  onLink(link: ILink, event: MouseEvent): void;
  onButton(key: ButtonKey): void;
  /** An address was pasted. */
  onPaste(url: string): void;
}

/** What a card holds besides, where it is one of many. */
export interface ICardParts {
  /** What there is to know of the profile, below the state. */
  about?: HTMLElement;
  /** What else can be done, beside what signs in and out. */
  tools?: HTMLElement;
  /** What has room over the whole width. */
  below?: HTMLElement;
}

/**
 * Shows views, changing only what differs: text being typed, the focus and what a screen reader
 * has announced stay as they are.
 */
export class Card {
  readonly node = element('div', 'pa-login');

  constructor(
    private readonly handlers: ICardHandlers,
    words: IDeviceCodeWords,
    { about, tools, below }: ICardParts = {}
  ) {
    this.code = new DeviceCode(words);
    this.node.setAttribute('role', 'group');
    // Keys and the context menu are the browser's own in here: Enter presses, and paste pastes.
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.node.dataset.jpSuppressContextMenu = 'true';
    this.isBusy = false;
    this.status.setAttribute('role', 'status');
    this.trouble.setAttribute('role', 'alert');
    this.node.append(
      this.glyph,
      element(
        'div',
        'pa-login-body',
        element('div', 'pa-login-head', this.platform, this.profile),
        this.status,
        this.warnings,
        this.trouble,
        this.lines,
        about ?? null,
        this.code.node,
        ...(tools
          ? [element('div', 'pa-foot', this.actions, this.paste, tools)]
          : [this.actions, this.paste]),
        this.aside
      ),
      ...(below ? [below] : [])
    );
  }

  show(view: IView): void {
    this.node.dataset.state = view.state;
    this.node.setAttribute('aria-label', view.platform);
    this.update('glyph', view.glyph, () =>
      this.glyph.replaceChildren(drawGlyph(view.glyph))
    );
    setText(this.platform, view.platform);
    this.platform.title = view.platform;
    setText(this.profile, view.profile);
    setText(this.status, view.status);
    setText(this.trouble, view.trouble);
    this.update('warnings', view.warnings, () =>
      this.warnings.replaceChildren(
        ...view.warnings.map(text => element('p', 'pa-login-warning', text))
      )
    );
    this.update('lines', view.lines, () =>
      this.lines.replaceChildren(
        ...view.lines.map(({ text, isQuiet }) =>
          element('p', isQuiet ? 'pa-login-note' : 'pa-login-line', text)
        )
      )
    );
    this.update('code', view.code, () => this.code.show(view.code));
    this.update('aside', view.aside, () =>
      this.aside.replaceChildren(
        ...(view.aside ? [anchor('pa-login-link', view.aside)] : [])
      )
    );
    const { link, paste, buttons } = view;
    // What the link leads to is pasted right below it; whoever gives up does so after that.
    const beside = paste ? [] : buttons;
    this.update('actions', [link, beside], () =>
      this.showActions(link, beside)
    );
    this.update('paste', [paste, buttons], () =>
      this.redraw(this.paste, paste ? [this.pasteForm(paste, buttons)] : [])
    );
  }

  /** Show a picture of the address that the code belongs to. */
  showPicture(code: IQrCode | null): void {
    this.code.showPicture(code);
  }

  /** Be gone: nothing moves any more. */
  dispose(): void {
    this.code.stop();
  }

  /** Whether something asked for is under way: until it is done, nothing else is asked. */
  get isBusy(): boolean {
    return this.node.getAttribute('aria-busy') === 'true';
  }

  set isBusy(isBusy: boolean) {
    this.node.setAttribute('aria-busy', String(isBusy));
  }

  private update(part: string, content: unknown, redraw: () => void): void {
    const key = JSON.stringify(content);
    if (this.shown.get(part) !== key) {
      this.shown.set(part, key);
      redraw();
    }
  }

  private showActions(link: ILink | null, buttons: IButton[]): void {
    this.redraw(this.actions, [
      ...(link ? [this.link(link)] : []),
      ...this.buttons(buttons)
    ]);
  }

  /** Put others in the place of what was there; whoever was in it goes on with what can be done. */
  private redraw(part: HTMLElement, children: HTMLElement[]): void {
    const hadFocus = part.contains(document.activeElement);
    part.replaceChildren(...children);
    if (hadFocus) {
      (this.actions.firstElementChild as HTMLElement | null)?.focus();
    }
  }

  private buttons(buttons: IButton[]): HTMLElement[] {
    return buttons.map(({ key, label }) => {
      const node = button('pa-button', label);
      node.addEventListener('click', () => this.handlers.onButton(key));
      return node;
    });
  }

  private link(link: ILink): HTMLAnchorElement {
    const node = anchor('pa-button pa-mod-primary', link);
    node.addEventListener('click', event => this.handlers.onLink(link, event));
    return node;
  }

  private pasteForm(paste: IPaste, buttons: IButton[]): HTMLElement {
    const field = element('input', 'pa-login-field');
    field.type = 'text';
    field.autocomplete = 'off';
    field.spellcheck = false;
    field.required = true;
    field.placeholder = 'http://localhost…/callback?code=…';
    const submit = button('pa-button', paste.finish);
    submit.type = 'submit';
    const form = element(
      'form',
      'pa-login-paste',
      element('label', 'pa-login-label', paste.label, field),
      submit,
      ...this.buttons(buttons)
    );
    // In a notebook's output, Enter alone does not submit a form.
    field.addEventListener('keydown', event => {
      if (event.key === 'Enter' && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    form.addEventListener('submit', event => {
      event.preventDefault();
      const url = field.value.trim();
      field.value = '';
      this.handlers.onPaste(url);
    });
    return form;
  }

  private readonly glyph = element('div', 'pa-login-glyph');
  private readonly platform = element('span', 'pa-login-platform');
  private readonly profile = element('span', 'pa-login-profile');
  private readonly status = element('div', 'pa-login-status');
  private readonly warnings = element('div', 'pa-login-warnings');
  private readonly trouble = element('div', 'pa-login-trouble');
  private readonly lines = element('div', 'pa-login-lines');
  private readonly code: DeviceCode;
  private readonly actions = element('div', 'pa-login-actions');
  private readonly paste = element('div', 'pa-login-challenge');
  private readonly aside = element('div', 'pa-login-aside');
  private readonly shown = new Map<string, string>();
}

function setText(node: HTMLElement, text: string): void {
  if (node.textContent !== text) {
    node.textContent = text;
  }
}

/** A real link, which leads to a tab of its own. */
function anchor(className: string, link: ILink): HTMLAnchorElement {
  const node = element('a', className, link.label);
  if (link.name !== link.label) {
    node.setAttribute('aria-label', link.name);
  }
  node.href = link.href;
  node.target = '_blank';
  node.rel = 'noopener';
  return node;
}

function button(className: string, label: string): HTMLButtonElement {
  const node = element('button', className, label);
  node.type = 'button';
  return node;
}
