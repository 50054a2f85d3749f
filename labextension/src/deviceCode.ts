/** The code of a device flow: large, to be copied, with its picture and the time that is left. */

import { copyText, element, svgElement } from './dom';
import { IQrCode } from './session';
import { ICode } from './view';

export interface IDeviceCodeWords {
  /** How long the code is still good for. */
  codeLeft(seconds: number): string;
  /** The name of the picture. */
  readonly scan: string;
}

/** Seconds before the end from which the time that is left stands out. */
const HURRY = 60;

export class DeviceCode {
  readonly node = element('div', 'pa-login-challenge pa-login-device');

  constructor(private readonly words: IDeviceCodeWords) {}

  /** Show a code; null shows none. */
  show(view: ICode | null): void {
    this.stop();
    this.node.replaceChildren(...(view ? this.parts(view) : []));
  }

  /** Show its picture. */
  showPicture(code: IQrCode | null): void {
    this.picture.replaceChildren(
      ...(code ? [draw(code, this.words.scan)] : [])
    );
  }

  /** Count no more. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private parts(view: ICode): HTMLElement[] {
    const code = element('output', 'pa-login-code', view.code);
    code.setAttribute('aria-label', `${view.label} ${view.code}`);
    const row = element(
      'div',
      'pa-login-coderow',
      code,
      copyButton(view, code)
    );
    const left = element('p', 'pa-login-note pa-login-left');
    left.setAttribute('role', 'timer');
    if (view.until !== null) {
      this.count(left, view.until);
    }
    return [element('div', 'pa-login-codebox', row, left), this.picture];
  }

  private count(node: HTMLElement, until: number): void {
    const tick = () => {
      const seconds = until - Date.now() / 1000;
      node.textContent = this.words.codeLeft(seconds);
      node.classList.toggle('pa-mod-hurry', seconds < HURRY);
      if (seconds <= 0) {
        this.stop();
      }
    };
    this.timer = window.setInterval(tick, 1000);
    tick();
  }

  private readonly picture = element('div', 'pa-login-qr');
  private timer: number | undefined;
}

function copyButton(view: ICode, code: HTMLElement): HTMLButtonElement {
  const copy = element('button', 'pa-button', view.copy);
  copy.type = 'button';
  copy.addEventListener('click', async () => {
    if (await copyText(code)) {
      copy.textContent = view.copied;
    }
  });
  return copy;
}

/** Black on white, whatever the theme: a camera wants it so. */
function draw({ size, path }: IQrCode, name: string): SVGElement {
  const title = svgElement('title', {});
  title.textContent = name;
  const all = `M0 0h${size}v${size}H0z`;
  const svg = svgElement('svg', {
    viewBox: `0 0 ${size} ${size}`,
    role: 'img'
  });
  svg.append(
    title,
    svgElement('path', { fill: '#fff', d: all }),
    svgElement('path', { fill: '#000', d: path })
  );
  return svg;
}
