import './no-eval.ts';
import './styles.ts';
import { localStorageColorSchemeManager, MantineProvider } from '@mantine/core';
import { QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { createPagesQueryClient } from './api/query-client.ts';
import { signInQuery, takeTokenFromAddress } from './api/session.ts';
import { router } from './router.tsx';

/*
 * The pages. They read everything from the public API by the contracts in `contracts/`, hold no secret (the session is
 * an HttpOnly cookie) and treat every text that comes back as hostile: submissions, model output and README files are
 * put on the page as text nodes only, never as HTML.
 *
 * The content security policy can be strict (`script-src 'self'; style-src 'self'`, trusted types for scripts): Mantine's
 * variables come from its style sheet, not from a style tag made at run time, and dialogs are the browser's own.
 */
const queryClient = createPagesQueryClient();
const colorSchemeManager = localStorageColorSchemeManager({ key: 'collective-color-scheme' });

// Before the router reads the address, so that the token is neither kept in the history nor taken for an anchor.
const token = takeTokenFromAddress(window);
if (token !== null) void queryClient.prefetchQuery(signInQuery(queryClient, token));

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <MantineProvider
      defaultColorScheme="auto"
      colorSchemeManager={colorSchemeManager}
      withCssVariables={false}
      withGlobalClasses={false}
      theme={{ primaryColor: 'indigo', respectReducedMotion: true, cursorType: 'pointer' }}
    >
      <QueryClientProvider client={queryClient}>
        <RouterProvider router={router} />
      </QueryClientProvider>
    </MantineProvider>
  </StrictMode>,
);
