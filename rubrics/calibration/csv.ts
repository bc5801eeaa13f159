import { problemAt } from './problem.ts';

export interface CsvRecord {
  /** The 1-based line on which the record starts; a quoted cell may go on over several. */
  line: number;
  cells: string[];
}

export interface CsvBounds {
  /** UTF-16 units of one record. */
  maxRecord: number;
  maxCells: number;
}

type State = 'start' | 'bare' | 'quoted' | 'closed' | 'return';

const plainQuoted = /[^"\n]*/y;
const plainBare = /[^",\r\n]*/y;

/**
 * CSV by RFC 4180 and nothing more: commas, records end with CRLF or LF, a cell with quotes starts and ends with one and
 * doubles those inside, spaces belong to the cell. What spreadsheets guess at (a quote inside a bare cell, text behind a
 * closing quote, a lone CR) is refused by line instead: a guess would shift labels. Works on pieces of any size.
 */
export class CsvParser {
  readonly #bounds: CsvBounds;
  #state: State = 'start';
  #cells: string[] = [];
  #cell = '';
  #size = 0;
  #line = 1;
  #startedAt = 1;
  #records: CsvRecord[] = [];

  constructor(bounds: CsvBounds) {
    this.#bounds = bounds;
  }

  /** The records that this piece of text completes. */
  push(text: string): CsvRecord[] {
    let at = 0;
    while (at < text.length) {
      if (this.#state === 'start' && this.#cells.length === 0) this.#startedAt = this.#line;
      const plain = this.#plainLength(text, at);
      if (plain > 0) this.#add(text.slice(at, at + plain));
      else this.#step(text[at] as string);
      at += Math.max(1, plain);
    }
    return this.#take();
  }

  /** The last record, when the text does not end with a line break. */
  end(): CsvRecord[] {
    if (this.#state === 'quoted') throw problemAt(this.#startedAt, null, 'a quoted cell of this record is never closed');
    if (this.#state === 'return') throw problemAt(this.#line, null, 'a carriage return without a line feed at the end of the file');
    if (this.#state !== 'start' || this.#cells.length > 0) this.#endRecord();
    return this.#take();
  }

  /** Most of a file is plain text inside cells; it is taken in one piece up to the next character that means something. */
  #plainLength(text: string, at: number): number {
    if (this.#state !== 'quoted' && this.#state !== 'bare') return 0;
    const plain = this.#state === 'quoted' ? plainQuoted : plainBare;
    plain.lastIndex = at;
    return plain.exec(text)?.[0].length ?? 0;
  }

  #step(character: string): void {
    if (this.#state === 'quoted') {
      if (character === '"') this.#state = 'closed';
      else this.#add(character);
    } else if (this.#state === 'return') {
      if (character !== '\n') throw problemAt(this.#line, null, 'a carriage return without a line feed; put the cell in quotes');
      this.#endRecord();
    } else if (character === '"') this.#quote();
    else if (!this.#separate(character)) this.#character(character);
    if (character === '\n') this.#line++;
  }

  /** A quote where no quoted cell is open. */
  #quote(): void {
    if (this.#state === 'bare')
      throw problemAt(this.#line, null, 'a quote inside a cell that does not start with one; quote the whole cell and double it');
    if (this.#state === 'closed') this.#add('"');
    this.#state = 'quoted';
  }

  /** What ends a cell: a comma, LF, or CR before LF. False for any other character. */
  #separate(character: string): boolean {
    if (character === ',') {
      this.#endCell();
      this.#state = 'start';
    } else if (character === '\r') this.#state = 'return';
    else if (character === '\n') this.#endRecord();
    else return false;
    return true;
  }

  #character(character: string): void {
    if (this.#state === 'closed') throw problemAt(this.#line, null, 'text behind a closing quote; double the quotes inside a quoted cell');
    this.#state = 'bare';
    this.#add(character);
  }

  #add(text: string): void {
    this.#cell += text;
    this.#size += text.length;
    if (this.#size > this.#bounds.maxRecord)
      throw problemAt(this.#startedAt, null, `the record is longer than ${this.#bounds.maxRecord} characters`);
  }

  #endCell(): void {
    this.#cells.push(this.#cell);
    this.#cell = '';
    if (this.#cells.length > this.#bounds.maxCells)
      throw problemAt(this.#startedAt, null, `more than ${this.#bounds.maxCells} cells in one record`);
  }

  #endRecord(): void {
    this.#endCell();
    this.#records.push({ line: this.#startedAt, cells: this.#cells });
    this.#cells = [];
    this.#size = 0;
    this.#state = 'start';
  }

  #take(): CsvRecord[] {
    const done = this.#records;
    this.#records = [];
    return done;
  }
}
