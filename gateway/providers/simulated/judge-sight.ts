import type { ChatRequest, ToolDefinition } from '../../../contracts/chat.ts';
import type { Json } from '../../../contracts/json.ts';

/** What a judge's request says, as a model would read it: the call's facts out of the system message, the box out of the other. */
export interface JudgeSight {
  nonce: string;
  tool: ToolDefinition;
  /** Properties of the tool's one form. */
  properties: Record<string, Json>;
  /** The box's parts by name, each as its texts without datamarks. */
  parts: Readonly<Record<string, string[]>>;
}

/** Null when the request is not one of a judge. */
export function judgeSightOf(request: ChatRequest): JudgeSight | null {
  const system = request.messages.find((message) => message.role === 'system')?.content ?? '';
  const user = request.messages.findLast((message) => message.role === 'user')?.content ?? '';
  const tool = request.tools?.[0];
  const call = objectOf(jsonOf(system.slice(system.lastIndexOf('{'))));
  const { fence, nonce, mark } = call;
  if (!tool || typeof fence !== 'string' || typeof nonce !== 'string') return null;
  const lines = user.split('\n');
  if (lines.length !== 3 || lines[0] !== `BEGIN ${fence}` || lines[2] !== `END ${fence}`) return null;
  const box = objectOf(jsonOf(lines[1] ?? ''));
  const plain = (text: string) =>
    typeof mark === 'string' ? text.replace(new RegExp(`(?<=[^\\S ])${mark}`, 'gu'), '').replaceAll(mark, ' ') : text;
  const parts = Object.fromEntries(Object.entries(box).map(([name, value]) => [name, textsOf(value).map(plain)]));
  return { nonce, tool, properties: objectOf(tool.parameters.properties), parts };
}

const shownFields = ['text', 'beginning', 'end'] as const;

function textsOf(value: Json): string[] {
  const { list, ...fields } = objectOf(value);
  if (Array.isArray(list)) return list.flatMap(textsOf);
  return shownFields.flatMap((name) => (typeof fields[name] === 'string' ? [fields[name]] : []));
}

/** The members of a JSON object; none for any other value. */
export const objectOf = (value: Json | undefined): Record<string, Json> =>
  value !== null && typeof value === 'object' && !Array.isArray(value) ? value : {};

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    // Not a judge's request: the caller says so.
    return null;
  }
}
