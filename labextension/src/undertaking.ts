/** What a form has asked for: said while it is under way, and why where it was refused. */

import { element } from './dom';
import { problemOf } from './problem';
import { Words } from './words';

export class Undertaking {
  readonly status = element('p', 'pa-form-status');
  readonly trouble = element('div', 'pa-login-trouble');

  constructor(
    private readonly words: Words,
    /** Is told when it begins, and when it is over. */
    private readonly onBusy: (isBusy: boolean) => void
  ) {
    this.status.setAttribute('role', 'status');
    this.trouble.setAttribute('role', 'alert');
  }

  get isBusy(): boolean {
    return this.busy;
  }

  /** Do something that takes a while; null where it was refused, or something else is under way. */
  async during<T>(saying: string, deed: () => Promise<T>): Promise<T | null> {
    if (this.busy) {
      return null;
    }
    this.setBusy(true);
    this.trouble.replaceChildren();
    this.status.textContent = saying;
    try {
      return await deed();
    } catch (reason) {
      this.complain(reason);
      return null;
    } finally {
      this.setBusy(false);
      this.status.textContent = '';
    }
  }

  private setBusy(isBusy: boolean): void {
    this.busy = isBusy;
    this.onBusy(isBusy);
  }

  private complain(reason: unknown): void {
    const { status, lines } = this.words.problem(problemOf(reason));
    this.trouble.replaceChildren(
      ...[status, ...lines.map(({ text }) => text)].map(text =>
        element('p', '', text)
      )
    );
    this.trouble.scrollIntoView?.({ block: 'nearest' });
  }

  private busy = false;
}
