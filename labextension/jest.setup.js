// Lumino's widgets name this class when they are loaded; jsdom has none.
globalThis.DragEvent = class DragEvent extends MouseEvent {};
