/** All profiles in one dialog: their state, signing in and out. */

import { Dialog, showDialog } from '@jupyterlab/apputils';
import { IDisposable } from '@lumino/disposable';
import { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';

import { element } from './dom';
import { LoginCard } from './loginCard';
import { IErrorText } from './session';
import { ISessions } from './sessions';
import { Words } from './words';

/** One card for each profile, in the server's order. */
export class Connections extends Panel {
  constructor(
    private readonly sessions: ISessions,
    private readonly words: Words
  ) {
    super();
    this.addClass('pa-connections');
    sessions.changed.connect(this.draw, this);
    this.draw();
  }

  protected override onAfterAttach(_: Message): void {
    this.watch = this.sessions.watchAll();
  }

  protected override onBeforeDetach(_: Message): void {
    this.watch?.dispose();
  }

  private draw(): void {
    const { problems } = this.sessions;
    const profiles = this.sessions.profiles ?? [];
    const key = JSON.stringify([profiles, problems]);
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    this.widgets.slice().forEach(widget => widget.dispose());
    this.node.replaceChildren(
      ...problems.map(error => this.warning(error)),
      ...(profiles.length + problems.length ? [] : [this.empty()])
    );
    profiles.forEach(profile => this.addWidget(this.card(profile)));
  }

  private warning(error: IErrorText): HTMLElement {
    const saying = this.words.problem({ kind: 'refused', error });
    return element('p', 'pa-login-warning', this.words.sentence(saying));
  }

  private empty(): HTMLElement {
    return element('p', 'pa-login-line', this.words.noProfiles);
  }

  private card(profile: string): LoginCard {
    const { sessions, words } = this;
    const platform = sessions.read(profile).session?.platform ?? profile;
    return new LoginCard({
      profile,
      platform,
      sessions,
      words,
      isFollowing: false,
      isRow: true
    });
  }

  private watch: IDisposable | null = null;
  private shown = '';
}

/** Show them until closed. */
export async function showConnections(
  sessions: ISessions,
  words: Words
): Promise<void> {
  await showDialog({
    title: words.connections,
    body: new Connections(sessions, words),
    buttons: [Dialog.cancelButton({ label: words.close })],
    hasClose: true
  });
}
