export default async function solve() {
  await new Promise(() => {});
}
