/** The notebook that a person works in: where cells and clients go. */

import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { Kernel } from '@jupyterlab/services';

export interface INotebookTarget {
  /** What its tab says. */
  readonly name: string;
  readonly isReadOnly: boolean;
  /** Its kernel, where one runs. */
  readonly kernel: Kernel.IKernelConnection | null;
  /** Put a code cell below the selected one, and go there. */
  insertCell(source: string): void;
}

/** Finds the notebook used last; null where there is none. */
export type FindNotebook = () => INotebookTarget | null;

/** Find it by JupyterLab's own record; without one, as where no notebook can be open, never. */
export function notebookFinder(
  tracker: INotebookTracker | null,
  activate: (id: string) => void
): FindNotebook {
  return () => {
    const panel = tracker?.currentWidget;
    if (!panel) {
      return null;
    }
    return {
      name: panel.title.label,
      isReadOnly: panel.content.model?.readOnly ?? true,
      kernel: panel.sessionContext.session?.kernel ?? null,
      insertCell: source => {
        const { content } = panel;
        NotebookActions.insertBelow(content);
        // The default cell of a notebook may be another kind.
        NotebookActions.changeCellType(content, 'code');
        content.activeCell?.model.sharedModel.setSource(source);
        activate(panel.id);
      }
    };
  };
}
