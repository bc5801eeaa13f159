export default async function solve() {
  const names = ['fs', 'node:fs', 'child_process', 'std', 'os', './child.ts', '/etc/passwd', 'https://example.com/x.js', 'data:text/javascript,1'];
  const seen = {};
  for (const name of names) seen[name] = await import(name).then(() => 'imported', (error) => error.message);
  return seen;
}
