// A null: the agent without any defence.
export default async function solve(task, target) {
  const messages = [{ role: 'user', content: task.input.task }];
  for (let step = 0; step < 7; step++) {
    const reply = await target.chat(messages, { target: 'agent' });
    if (!reply.startsWith('CALL ')) return reply;
    const result = await target.chat([{ role: 'user', content: reply.slice(5) }], { target: 'office' });
    messages.push({ role: 'assistant', content: reply }, { role: 'user', content: `RESULT\n${result}` });
  }
  return 'The task took too long.';
}
