import type { ChallengeDetail } from '../../../contracts/api.ts';
import { exampleOf } from './answer-shape.ts';
import { fieldsOf } from './field-list.ts';
import type { MapForm } from './map-fields.tsx';

/** Downloads a JSON file with every public case and an empty answer, ready to fill in. */
export function TemplateLink(props: { form: MapForm; cases: ChallengeDetail['publicCases']; slug: string }) {
  const download = () => {
    const example = props.form.kind === 'answers' ? exampleOf(props.form.schema) : '';
    const template = Object.fromEntries(fieldsOf(props.form, props.cases).map(({ key }) => [key, example]));
    const address = URL.createObjectURL(new Blob([`${JSON.stringify(template, null, 2)}\n`], { type: 'application/json' }));
    const link = Object.assign(document.createElement('a'), { href: address, download: `${props.slug}-${props.form.kind}.json` });
    link.click();
    URL.revokeObjectURL(address);
  };
  return (
    <button type="button" className="link-button" onClick={download}>
      Download a template
    </button>
  );
}
