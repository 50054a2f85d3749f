/** The state of the default platform, at a glance. */

import { Widget } from '@lumino/widgets';

import { element } from './dom';
import { drawGlyph } from './glyphs';
import { PanelWords } from './panelWords';
import { IErrorText, ISession } from './session';
import { ISessions } from './sessions';
import { Glyph } from './view';
import { Words } from './words';

/** What the item says; null where there is nothing to say. */
export interface IGlance {
  state: string;
  glyph: Glyph;
  /** The platform. */
  label: string;
  /** How it stands there, in as few words as can be. */
  detail: string;
  /** All of it. */
  title: string;
}

/** The words it is said with. */
export interface IGlanceWords {
  words: Words;
  panelWords: PanelWords;
}

const GLYPHS: Record<string, Glyph> = {
  signed_out: 'lock',
  signing_in: 'wait',
  signed_in: 'check',
  expired: 'alert',
  failed: 'alert'
};

/** Sum up the sessions: the one that waits for the person, else the default, else all. */
export function glance(
  sessions: ISessions,
  { words, panelWords }: IGlanceWords
): IGlance | null {
  const { profiles, problems, defaultProfile } = sessions;
  if (!profiles?.length) {
    return problems.length ? misconfigured(problems, words) : null;
  }
  const waiting = profiles.find(
    profile => sessions.read(profile).session?.state === 'signing_in'
  );
  const { session, problem } = sessions.read(waiting ?? defaultProfile ?? '');
  if (problem) {
    return {
      state: problem.kind,
      glyph: 'alert',
      label: session?.platform ?? words.connections,
      detail: '',
      title: words.sentence(words.problem(problem))
    };
  }
  return session
    ? one(session, words, panelWords)
    : countAll(sessions, profiles, words);
}

function one(session: ISession, words: Words, panelWords: PanelWords): IGlance {
  const { platform, state, signed_in_as } = session;
  const left = state === 'signed_in' ? panelWords.left(session) : null;
  const status = words.state(state, signed_in_as);
  return {
    state,
    glyph: GLYPHS[state],
    label: platform,
    detail: panelWords.glance(session),
    title: `${platform}: ${[status, left].filter(Boolean).join(', ')}`
  };
}

function misconfigured([error]: readonly IErrorText[], words: Words): IGlance {
  return {
    state: 'failed',
    glyph: 'alert',
    label: words.connections,
    detail: '',
    title: words.sentence(words.problem({ kind: 'refused', error }))
  };
}

function countAll(
  sessions: ISessions,
  profiles: readonly string[],
  words: Words
): IGlance {
  const isSignedIn = (profile: string) =>
    sessions.read(profile).session?.state === 'signed_in';
  const count = profiles.filter(isSignedIn).length;
  const label = words.count(count, profiles.length);
  return {
    state: count ? 'signed_in' : 'signed_out',
    glyph: count ? 'check' : 'lock',
    label,
    detail: '',
    title: `${words.connections}: ${label}`
  };
}

export class StatusItem extends Widget {
  constructor(
    private readonly sessions: ISessions,
    private readonly words: IGlanceWords,
    onOpen: () => void
  ) {
    super();
    this.addClass('pa-status');
    this.button.type = 'button';
    this.button.addEventListener('click', onOpen);
    this.button.append(this.glyph, this.label, this.detail);
    this.node.append(this.button);
    sessions.changed.connect(this.draw, this);
    this.draw();
  }

  private draw(): void {
    const shown = glance(this.sessions, this.words);
    this.button.hidden = shown === null;
    if (shown && shown.title !== this.button.title) {
      this.node.dataset.state = shown.state;
      this.button.title = shown.title;
      this.button.setAttribute('aria-label', shown.title);
      this.glyph.replaceChildren(drawGlyph(shown.glyph));
    }
    this.label.textContent = shown?.label ?? '';
    this.detail.textContent = shown?.detail ?? '';
  }

  private readonly button = element('button', 'pa-status-button');
  private readonly glyph = element('span', 'pa-login-glyph');
  private readonly label = element('span', 'pa-status-label');
  private readonly detail = element('span', 'pa-status-detail');
}
