/** One platform in the panel: its card, what to do with it in a notebook, and the details. */

import {
  addBelowIcon,
  caretDownEmptyIcon,
  copyIcon,
  ellipsesIcon,
  lockIcon,
  runIcon
} from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';

import { INotebookDeeds } from './deeds';
import { Details } from './details';
import { element } from './dom';
import { History } from './history';
import { DeedError } from './inject';
import { LoginCard } from './loginCard';
import { PanelWords } from './panelWords';
import { ISessions } from './sessions';
import { tool } from './tool';
import { Words } from './words';

/** What every row is made with. */
export interface IRowOptions {
  sessions: ISessions;
  words: Words;
  panelWords: PanelWords;
  history: History;
  deeds: INotebookDeeds;
  /** Show what else can be done with a profile, in a menu below a button. */
  openMenu(profile: string, button: HTMLElement): void;
}

export class ConnectionRow extends Panel {
  constructor(
    readonly profile: string,
    private readonly options: IRowOptions
  ) {
    super();
    this.addClass('pa-connection');
    const { sessions, words, panelWords } = options;
    this.details = new Details(panelWords);
    const platform = sessions.read(profile).session?.platform ?? profile;
    this.note.setAttribute('role', 'status');
    this.left.hidden = true;
    this.addWidget(
      new LoginCard({
        profile,
        platform,
        sessions,
        words,
        isFollowing: false,
        isRow: true,
        parts: {
          about: element('div', 'pa-about', this.left, this.meta, this.note),
          tools: this.tools(),
          below: this.details.node
        }
      })
    );
    sessions.changed.connect(this.draw, this);
    this.draw();
  }

  /** Bring it into sight, and the keyboard with it. */
  reveal(): void {
    this.node.scrollIntoView({ block: 'nearest' });
    this.node.querySelector<HTMLElement>('a, button')?.focus();
  }

  /** Do something in a notebook, and say what comes of it. */
  async do(
    deed: (say: (text: string) => void) => Promise<string>
  ): Promise<void> {
    const turn = ++this.turn;
    const say = (text: string, state: string) => {
      if (turn === this.turn && !this.isDisposed) {
        this.note.textContent = text;
        this.note.dataset.state = state;
      }
    };
    say('', '');
    try {
      say(await deed(text => say(text, 'waiting')), 'done');
    } catch (reason) {
      if (!(reason instanceof DeedError)) {
        throw reason;
      }
      say(reason.message, 'failed');
    }
  }

  private draw(): void {
    const { sessions, panelWords, history } = this.options;
    const { session } = sessions.read(this.profile);
    if (!session) {
      return;
    }
    const isIn = session.state === 'signed_in';
    this.left.textContent = (isIn && panelWords.left(session)) || '';
    this.left.hidden = !this.left.textContent;
    const isDefault = sessions.defaultProfile === this.profile;
    const parts = [
      isDefault ? panelWords.isDefault : '',
      panelWords.flow(session.flow),
      panelWords.source(session.source)
    ].filter(Boolean);
    const locked = panelWords.locked(session);
    const key = JSON.stringify([parts, locked]);
    if (key !== this.shown) {
      this.shown = key;
      this.meta.replaceChildren(
        ...parts.map(text => element('span', 'pa-meta-part', text))
      );
      if (locked) {
        this.meta.lastElementChild?.append(lockOf(locked));
      }
    }
    this.details.show(panelWords.facts(session), history.of(this.profile));
  }

  private tools(): HTMLElement {
    const { deeds, panelWords: words, openMenu } = this.options;
    const { profile } = this;
    const more = tool(ellipsesIcon, words.more, words.more, () =>
      openMenu(profile, more)
    );
    more.setAttribute('aria-haspopup', 'menu');
    const details = tool(
      caretDownEmptyIcon,
      words.details,
      words.detailsCaption,
      () => details.setAttribute('aria-expanded', String(this.details.toggle()))
    );
    details.setAttribute('aria-expanded', 'false');
    return element(
      'div',
      'pa-tools',
      tool(runIcon, words.useInNotebook, words.useInNotebookCaption, () =>
        this.do(say => deeds.use(profile, say))
      ),
      tool(addBelowIcon, words.insertCell, words.insertCellCaption, () =>
        this.do(() => deeds.insert(profile))
      ),
      tool(copyIcon, words.copySnippet, words.copySnippetCaption, () =>
        this.do(() => deeds.copy(profile))
      ),
      more,
      details
    );
  }

  private readonly details: Details;
  private readonly left = element('p', 'pa-left');
  private readonly meta = element('p', 'pa-meta');
  private readonly note = element('p', 'pa-note');
  private shown = '';
  /** Which of the things asked for came last: only that may still say something. */
  private turn = 0;
}

/** A lock that says why. */
function lockOf(why: string): HTMLElement {
  const lock = lockIcon.element({ tag: 'span', className: 'pa-lock' });
  lock.title = why;
  lock.setAttribute('role', 'img');
  lock.setAttribute('aria-label', why);
  return lock;
}
