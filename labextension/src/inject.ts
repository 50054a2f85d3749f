/** Bringing a client into a running kernel. */

import type { Kernel, KernelMessage } from '@jupyterlab/services';

import { INotebookTarget } from './notebookTarget';
import { PanelWords } from './panelWords';
import { kernelCodeOf } from './snippet';

/** It did not work; the message is for people. */
export class DeedError extends Error {}

// eslint-disable-next-line no-control-regex -- what a terminal takes for a colour
const COLOURS = /\u001b\[[\d;]*m/g;

/** Characters of what a kernel says that are shown. */
const LONGEST = 600;

/**
 * Run what puts a profile's client into a notebook's kernel; return what the kernel said.
 *
 * It stays out of the notebook's history. A busy kernel does it when it comes to it.
 */
export async function inject(
  { kernel, name }: INotebookTarget,
  profile: string,
  words: PanelWords
): Promise<string> {
  if (!kernel || kernel.status === 'dead') {
    throw new DeedError(words.noKernel(name));
  }
  const { language_info } = await kernel.info;
  if (language_info.name !== 'python') {
    throw new DeedError(words.notPython(name, language_info.name));
  }
  const said: string[] = [];
  const reply = await run(kernel, kernelCodeOf(profile), said).catch(() => {
    throw new DeedError(words.interrupted(name));
  });
  if (reply.status === 'ok') {
    return clean(said.join(''));
  }
  throw new DeedError(failure(reply, name, words));
}

function run(
  kernel: Kernel.IKernelConnection,
  code: string,
  said: string[]
): Promise<KernelMessage.IExecuteReplyMsg['content']> {
  const future = kernel.requestExecute({
    code,
    store_history: false,
    // It never asks for input; this is how a kernel tells that a person is there.
    allow_stdin: true,
    stop_on_error: false
  });
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === 'stream') {
      said.push((content as KernelMessage.IStreamMsg['content']).text);
    }
  };
  return future.done.then(({ content }) => content);
}

function failure(
  reply: KernelMessage.IExecuteReplyMsg['content'],
  name: string,
  words: PanelWords
): string {
  if (reply.status !== 'error') {
    return words.interrupted(name);
  }
  const { ename, evalue } = reply;
  if (ename === 'ModuleNotFoundError' && /\bplatform_auth\b/.test(evalue)) {
    return words.notInstalled(name);
  }
  if (ename === 'KeyboardInterrupt') {
    return words.interrupted(name);
  }
  return words.saidIn(name, clean(evalue || ename));
}

/** Text without the colours of terminals, and no more of it than people read. */
function clean(text: string): string {
  return text.replace(COLOURS, '').trim().slice(0, LONGEST);
}
