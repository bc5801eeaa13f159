/**
 * Calls `run` at once and then at most every `gapMs`, with one last call after the last request. A burst of thousands of
 * events becomes two reads per second.
 */
export function throttle(run: () => void, gapMs: number): { request: () => void; cancel: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wanted = false;
  const open = () => {
    timer = undefined;
    if (wanted) fire();
  };
  const fire = () => {
    wanted = false;
    timer = setTimeout(open, gapMs);
    run();
  };
  return {
    request: () => {
      wanted = true;
      if (timer === undefined) fire();
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
      wanted = false;
    },
  };
}
