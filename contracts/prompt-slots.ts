/** Under this key stands the one text of a prompts form with a `template`. */
export const templateKey = 'template';

/** How a slot is written. Replaced literally and at every place; what is put in is never searched for slots again. */
export const slotText = (name: string): string => `{${name}}`;
