export default async function solve(task) {
  const kept = [];
  while (task.input === null) kept.push(Buffer.alloc(1048576, 1));
  return 'rested';
}
