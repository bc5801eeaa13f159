// Runs before the first paint so that a dark page never flashes white. A file of its own, because the content security
// policy allows no inline script. Mantine reads and writes the same key afterwards.
(() => {
  var stored = null;
  try {
    stored = localStorage.getItem('collective-color-scheme');
  } catch {
    // Storage is off in this browser: the system's scheme is used.
  }
  var dark = stored === 'dark' || (stored !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
