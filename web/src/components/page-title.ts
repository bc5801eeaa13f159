import { useEffect } from 'react';

const product = 'AI Safety Collective';

/** Sets the window's title to what the page shows, so that tabs, history and screen readers name it. */
export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · ${product}` : product;
  }, [title]);
}
