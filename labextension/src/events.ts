/** The server's event stream: a hint that asking is worth it, never the truth. */

import type { ServiceManager } from '@jupyterlab/services';

import { Sessions } from './sessions';

/** Emitted when a session changes. Kernels can emit it, too, so its content is not believed. */
export const SESSION_EVENT = 'https://events.platform-auth.dev/session/v1';

/** Let every such event make the sessions be asked for. */
export function followEvents(
  events: ServiceManager.IManager['events'] | undefined,
  sessions: Sessions
): void {
  events?.stream.connect((_, { schema_id }) => {
    if (schema_id === SESSION_EVENT) {
      sessions.hint();
    }
  }, sessions);
}
