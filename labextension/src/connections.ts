/** All profiles in one list: their state, signing in and out. */

import { IDisposable } from '@lumino/disposable';
import { Message } from '@lumino/messaging';
import { Panel, Widget } from '@lumino/widgets';

import { element } from './dom';
import { LoginCard } from './loginCard';
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
    const profiles = this.sessions.profiles ?? [];
    const problems = this.problems(profiles);
    const key = JSON.stringify([profiles, problems]);
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    this.widgets.slice().forEach(widget => widget.dispose());
    problems.forEach(problem => this.addText('pa-login-warning', problem));
    if (profiles.length + problems.length === 0) {
      this.addText('pa-login-line', this.words.noProfiles);
    }
    profiles.forEach(profile => this.addWidget(this.card(profile)));
  }

  /** What is wrong besides what the profiles say themselves. */
  private problems(profiles: readonly string[]): string[] {
    const { sessions, words } = this;
    const said = new Set(
      profiles.map(profile => sessions.read(profile).session?.error?.what)
    );
    return sessions.problems
      .filter(({ what }) => !said.has(what))
      .map(error => words.sentence(words.problem({ kind: 'refused', error })));
  }

  private addText(className: string, text: string): void {
    this.addWidget(new Widget({ node: element('p', className, text) }));
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
