import { INotebookTarget } from '../notebookTarget';
import { NotebookDeeds } from '../deeds';
import { DeedError } from '../inject';
import { panelWords } from './panelFakes';

interface IAnswer {
  reply?: object;
  said?: string;
  language?: string;
}

/** A kernel that answers as told, and notes what it ran. */
function kernel({ reply, said = '', language = 'python' }: IAnswer) {
  const ran: { code: string; store_history: boolean }[] = [];
  return {
    ran,
    status: 'idle',
    info: Promise.resolve({ language_info: { name: language } }),
    requestExecute: (content: { code: string; store_history: boolean }) => {
      ran.push(content);
      const future = {
        onIOPub: (_: object) => undefined as void,
        done: Promise.resolve().then(() => {
          future.onIOPub({
            header: { msg_type: 'stream' },
            content: { text: said }
          });
          if (!reply) {
            throw new Error('Canceled');
          }
          return { content: reply };
        })
      };
      return future;
    }
  };
}

function notebook(changes: object = {}): INotebookTarget {
  return {
    name: 'a.ipynb',
    isReadOnly: false,
    kernel: null,
    insertCell: jest.fn(),
    ...changes
  } as INotebookTarget;
}

function deeds(target: INotebookTarget | null, isSignedIn = true) {
  return new NotebookDeeds(
    () => target,
    () => isSignedIn,
    panelWords
  );
}

function use(answer: IAnswer, isSignedIn = true): Promise<string> {
  const target = notebook({ kernel: kernel(answer) });
  return deeds(target, isSignedIn).use('prod', () => undefined);
}

const OK = { status: 'ok' };

it('runs what is not part of the history, and says what the kernel said', async () => {
  const python = kernel({
    reply: OK,
    said: '\u001b[1mclient\u001b[0m is ready\n'
  });
  const said: string[] = [];
  const done = deeds(notebook({ kernel: python })).use('prod', text =>
    said.push(text)
  );
  expect(await done).toBe('a.ipynb: client is ready');
  expect(said).toEqual(['Waiting for the kernel of a.ipynb…']);
  expect(python.ran[0]).toMatchObject({ store_history: false });
});

it('says when a client will work', async () => {
  expect(await use({ reply: OK })).toBe('client is ready in a.ipynb.');
  expect(await use({ reply: OK }, false)).toMatch(/as soon as you have/);
});

it.each([
  ['another language', { language: 'R' }, 'speaks R'],
  ['a kernel that goes away', {}, 'interrupted or restarted'],
  [
    'a cell before it that failed',
    { reply: { status: 'aborted' } },
    'Try again'
  ],
  [
    'a kernel without platform-auth',
    {
      reply: {
        status: 'error',
        ename: 'ModuleNotFoundError',
        evalue: "No module named 'platform_auth'"
      }
    },
    'is not installed'
  ],
  [
    'an error of ours',
    {
      reply: { status: 'error', ename: 'ConfigError', evalue: 'No.\nFix: X.' }
    },
    'a.ipynb: No.\nFix: X.'
  ],
  [
    'an interrupt',
    { reply: { status: 'error', ename: 'KeyboardInterrupt', evalue: '' } },
    'interrupted'
  ]
])('says what is in the way: %s', async (_, answer, text) => {
  await expect(use(answer)).rejects.toThrow(text);
  await expect(use(answer)).rejects.toThrow(DeedError);
});

it('says that there is no notebook, no kernel, nothing to be changed', async () => {
  await expect(deeds(null).insert('prod')).rejects.toThrow('No notebook');
  const bare = deeds(notebook({ isReadOnly: true }));
  await expect(bare.use('prod', () => undefined)).rejects.toThrow('no running');
  await expect(bare.insert('prod')).rejects.toThrow('read-only');
});

it('inserts the code', async () => {
  const target = notebook();
  expect(await deeds(target).insert('prod')).toBe('Inserted into a.ipynb.');
  expect(target.insertCell).toHaveBeenCalledWith(
    '%load_ext platform_auth\n%platform_login prod'
  );
});

it('says that nothing was copied where the browser refuses', async () => {
  document.execCommand = () => false;
  await expect(deeds(null).copy('prod')).rejects.toThrow('Insert a cell');
  expect(document.querySelector('.pa-copied')).toBeNull();
});
