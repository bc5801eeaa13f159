/** What is wrong with a data file or a request, in words for the person who brought it; with the line where one is known. */
export class CalibrationProblem extends Error {
  override name = 'CalibrationProblem';
}

/** "line 12, field "label": …" */
export const problemAt = (line: number, field: string | null, message: string): CalibrationProblem =>
  new CalibrationProblem(`line ${line}${field === null ? '' : `, field "${field}"`}: ${message}`);
