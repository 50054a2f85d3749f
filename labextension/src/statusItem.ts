/** The state of the default platform, at a glance. */

import { Widget } from '@lumino/widgets';

import { element } from './dom';
import { drawGlyph } from './glyphs';
import { IErrorText } from './session';
import { ISessions } from './sessions';
import { Glyph } from './view';
import { Words } from './words';

/** What the item says; null where there is nothing to say. */
export interface IGlance {
  state: string;
  glyph: Glyph;
  label: string;
  title: string;
}

const GLYPHS: Record<string, Glyph> = {
  signed_out: 'lock',
  signing_in: 'wait',
  signed_in: 'check',
  expired: 'alert',
  failed: 'alert'
};

/** Sum up the sessions. */
export function glance(sessions: ISessions, words: Words): IGlance | null {
  const { profiles, problems, defaultProfile } = sessions;
  if (!profiles?.length) {
    return problems.length ? misconfigured(problems, words) : null;
  }
  const { session, problem } = sessions.read(defaultProfile ?? '');
  if (problem) {
    return {
      state: problem.kind,
      glyph: 'alert',
      label: session?.platform ?? words.connections,
      title: words.sentence(words.problem(problem))
    };
  }
  if (session) {
    const status = words.state(session.state, session.signed_in_as);
    return {
      state: session.state,
      glyph: GLYPHS[session.state],
      label: session.platform,
      title: `${session.platform}: ${status}`
    };
  }
  return countAll(sessions, profiles, words);
}

function misconfigured([error]: readonly IErrorText[], words: Words): IGlance {
  return {
    state: 'failed',
    glyph: 'alert',
    label: words.connections,
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
  return {
    state: count ? 'signed_in' : 'signed_out',
    glyph: count ? 'check' : 'lock',
    label: words.count(count, profiles.length),
    title: words.connections
  };
}

export class StatusItem extends Widget {
  constructor(
    private readonly sessions: ISessions,
    private readonly words: Words,
    onOpen: () => void
  ) {
    super();
    this.addClass('pa-status');
    this.button.type = 'button';
    this.button.addEventListener('click', onOpen);
    this.button.append(this.glyph, this.label);
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
  }

  private readonly button = element('button', 'pa-status-button');
  private readonly glyph = element('span', 'pa-login-glyph');
  private readonly label = element('span', 'pa-status-label');
}
