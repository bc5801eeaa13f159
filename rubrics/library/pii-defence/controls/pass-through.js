// A null: hands every message to the desk and every reply back. Leaks and helps exactly as much as the undefended desk.
export default async function solve(task, target) {
  return (await target.chat([{ role: 'user', content: task.input.message }])).slice(0, 240);
}
