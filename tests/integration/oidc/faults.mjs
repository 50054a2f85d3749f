/** Faults on demand: "the next two token replies are lost after the provider has rotated". */

export class Faults {
  #pending = [];

  #held = new Set();

  /**
   * Queue one fault.
   *
   * kind: `status` (an HTTP error with `body`), `html` (a 200 that is not JSON), `drop` (the line
   * goes dead before the provider acts), `lost` (it acts, then the line goes dead), `slow` (an
   * answer after `ms`), `hold` (an answer after release()), `patch` (`set` and `remove` members of
   * the JSON answer).
   */
  add({ endpoint = 'token', kind, count = 1, after = 0, ...details }) {
    this.#pending.push({ endpoint, kind, count, after, ...details });
  }

  /** Forget what is queued and let every held request go. */
  clear() {
    this.#pending = [];
    this.release();
  }

  release() {
    for (const go of this.#held) go();
    this.#held.clear();
  }

  get held() {
    return this.#held.size;
  }

  /** The fault that this request to this endpoint meets, if any. */
  take(endpoint) {
    for (const fault of this.#pending) {
      if (fault.endpoint !== endpoint || fault.count < 1) continue;
      if (fault.after > 0) {
        fault.after -= 1;
        return undefined;
      }
      fault.count -= 1;
      return fault;
    }
    return undefined;
  }

  /** Answer this request as the fault says; `act` is what the provider would have done. */
  async play(fault, ctx, act) {
    switch (fault.kind) {
      case 'status':
        ctx.status = fault.status ?? 503;
        ctx.body = fault.body ?? '';
        if (fault.retry_after !== undefined) ctx.set('Retry-After', String(fault.retry_after));
        return;
      case 'html':
        ctx.type = 'html';
        ctx.body = fault.body ?? '<!DOCTYPE html><title>Sign in to the Wi-Fi</title>';
        return;
      case 'drop':
        hangUp(ctx);
        return;
      case 'lost':
        await act();
        hangUp(ctx);
        return;
      case 'slow':
        await new Promise((resolve) => { setTimeout(resolve, fault.ms); });
        await act();
        return;
      case 'hold':
        await new Promise((resolve) => { this.#held.add(resolve); });
        await act();
        return;
      case 'patch':
        await act();
        ctx.body = patched(ctx.body, fault);
        return;
      default:
        throw new TypeError(`no such fault: ${fault.kind}`);
    }
  }
}

function hangUp(ctx) {
  ctx.respond = false;
  ctx.req.socket.destroy();
}

function patched(body, { set = {}, remove = [] }) {
  const changed = { ...body, ...set };
  for (const member of remove) delete changed[member];
  return changed;
}
