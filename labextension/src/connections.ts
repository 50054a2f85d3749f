/** All profiles in one list: their state, signing in and out, and what to do with them. */

import { PanelWithToolbar } from '@jupyterlab/ui-components';
import { IDisposable } from '@lumino/disposable';
import { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';

import { ConnectionRow, IRowOptions } from './connectionRow';
import { element } from './dom';

/** One row for each profile, in the server's order. */
export class Connections extends PanelWithToolbar {
  constructor(private readonly options: IRowOptions) {
    super();
    this.addClass('pa-connections');
    this.title.label = options.words.connections;
    options.sessions.changed.connect(this.draw, this);
    this.draw();
  }

  /** The row of a profile. */
  row(profile: string): ConnectionRow | undefined {
    return this.rows.find(row => row.profile === profile);
  }

  protected override onAfterAttach(_: Message): void {
    this.follow();
  }

  protected override onAfterShow(_: Message): void {
    this.follow();
  }

  protected override onBeforeHide(_: Message): void {
    this.unfollow();
  }

  protected override onBeforeDetach(_: Message): void {
    this.unfollow();
  }

  /** Follow the list closely while it is seen. */
  private follow(): void {
    if (this.isVisible && !this.watch) {
      this.watch = this.options.sessions.watchAll();
    }
  }

  private unfollow(): void {
    this.watch?.dispose();
    this.watch = null;
  }

  private get rows(): ConnectionRow[] {
    return this.widgets.filter(widget => widget instanceof ConnectionRow);
  }

  private draw(): void {
    const { sessions, words } = this.options;
    if (sessions.profiles === null) {
      return;
    }
    const profiles = sessions.profiles;
    const problems = this.problems(profiles);
    const key = JSON.stringify([profiles, problems]);
    if (key === this.shown) {
      return;
    }
    this.shown = key;
    const texts = problems.map(text => paragraph('pa-login-warning', text));
    if (profiles.length + problems.length === 0) {
      texts.push(paragraph('pa-login-line', words.noProfiles));
    }
    this.replace([
      ...texts,
      ...profiles.map(
        profile => this.row(profile) ?? new ConnectionRow(profile, this.options)
      )
    ]);
  }

  /** Rows stay with their profiles: what is typed, open or under way in one is not lost. */
  private replace(wanted: Widget[]): void {
    this.widgets
      .filter(widget => !wanted.includes(widget))
      .forEach(widget => widget.dispose());
    wanted.forEach((widget, index) => this.insertWidget(index, widget));
  }

  /** What is wrong besides what the profiles say themselves. */
  private problems(profiles: readonly string[]): string[] {
    const { sessions, words } = this.options;
    const said = new Set(
      profiles.map(profile => sessions.read(profile).session?.error?.what)
    );
    return sessions.problems
      .filter(({ what }) => !said.has(what))
      .map(error => words.sentence(words.problem({ kind: 'refused', error })));
  }

  private watch: IDisposable | null = null;
  private shown = '';
}

function paragraph(className: string, text: string): Widget {
  return new Widget({ node: element('p', className, text) });
}
