/** The server's event stream: a hint that asking is worth it, never the truth. */

import type { ServiceManager } from '@jupyterlab/services';
import { Throttler } from '@lumino/polling';

import { ISessions } from './sessions';

/** Emitted when a session changes. Kernels can emit it, too, so its content is not believed. */
export const SESSION_EVENT = 'https://events.platform-auth.dev/session/v1';

export function followEvents(
  events: ServiceManager.IManager['events'] | undefined,
  sessions: ISessions
): void {
  const ask = new Throttler(() => sessions.refresh(), {
    limit: 200,
    edge: 'trailing'
  });
  events?.stream.connect((_, { schema_id }) => {
    if (schema_id === SESSION_EVENT) {
      void ask.invoke();
    }
  });
}
