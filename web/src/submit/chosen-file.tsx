import { Button } from '@mantine/core';
import { VisibleText } from '../components/visible-text.tsx';

/** A file that was chosen in the place of what could be typed, with a way to take it back. */
export function ChosenFile(props: { name: string; about: string; error?: string | undefined; onRemove: () => void }) {
  return (
    <div>
      <p className="chosen-file">
        <strong>
          <VisibleText text={props.name} />
        </strong>{' '}
        <span className="muted numbers">{props.about}</span>{' '}
        <Button size="compact-xs" variant="default" onClick={props.onRemove}>
          Remove
        </Button>
      </p>
      {props.error !== undefined && (
        <span role="alert" className="field-error">
          {props.error}
        </span>
      )}
    </div>
  );
}
