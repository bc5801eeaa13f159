import { ActionIcon } from '@mantine/core';
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';

/**
 * A modal dialog or side drawer on the browser's own `<dialog>`: it traps and returns the focus, closes on Escape and
 * makes the rest of the page inert without a script of ours, and injects no style tag.
 */
export function PageDialog(props: { title: ReactNode; kind: 'modal' | 'drawer'; onClose: () => void; children: ReactNode }) {
  const { title, kind, onClose, children } = props;
  const ref = useRef<HTMLDialogElement>(null);
  const headingId = useId();
  // A layout effect, because its clean-up still finds the dialog in the page: closing it there gives the focus back.
  useLayoutEffect(() => {
    const dialog = ref.current;
    // A development double mount would call it on an open dialog, which throws.
    if (dialog && !dialog.open) dialog.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={`dialog dialog-${kind}`}
      aria-labelledby={headingId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onPointerDown={(event) => {
        if (event.target === ref.current) onClose();
      }}
    >
      <div className="dialog-body">
        <header className="dialog-head">
          <h2 id={headingId}>{title}</h2>
          <ActionIcon variant="subtle" color="gray" aria-label="Close" onClick={onClose}>
            <span aria-hidden="true">✕</span>
          </ActionIcon>
        </header>
        {children}
      </div>
    </dialog>
  );
}
