import { visible } from './visible.ts';

/** Tells one step of a longer command, with what is worth knowing about it. */
export type Say = (step: string, detail?: Record<string, string | number>) => void;

/** Steps for people, or with `json` one JSON document per line. */
export function sayer(json: boolean): Say {
  return (step, detail = {}) => {
    const line = json ? JSON.stringify({ step, ...detail }) : visible([step, ...Object.entries(detail).map(inWords)].join('  '));
    process.stdout.write(`${line}\n`);
  };
}

const inWords = ([key, value]: [string, string | number]): string => `${key} ${value}`;
